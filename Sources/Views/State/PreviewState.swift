// What the preview shows of a run.
// SPDX-License-Identifier: Apache-2.0

nonisolated enum PreviewView: String, Sendable, CaseIterable {
    case picture, scales, grid, compare, gallery, branches, pair

    var title: String { rawValue }

    /// The views that one key goes through; two pictures are compared by another.
    static let cycle: [PreviewView] = [.picture, .scales, .grid, .compare, .gallery, .branches]
}

nonisolated struct PreviewState: Sendable, Equatable {
    var view = PreviewView.picture
    /// The picture of the batch.
    var picture = 0
    /// The stored pass looked at; nil follows the newest.
    var pass: Int?
    /// 1 = the whole picture; n shows 1/n of its width.
    var zoom = 1
    /// The middle of what is seen, as a share of the picture, 0…1.
    var centerX = 0.5
    var centerY = 0.5

    static let zooms = 1...8
}
