// The picture being edited, its painted mask, and how the edit is to be done.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated enum MaskTool: String, Sendable, CaseIterable, Codable {
    case brush, eraser, box, ellipse, lasso, fill

    /// Whether a stroke of it stays open between keys, from one Space to the next.
    var isShape: Bool { self == .box || self == .ellipse || self == .lasso }
}

/// What of an edit is looked at.
nonisolated enum MaskView: String, Sendable, CaseIterable {
    case mask, before, after, difference, both, canvas

    var title: String {
        switch self {
        case .mask: "mask"
        case .before: "before"
        case .after: "after"
        case .difference: "difference"
        case .both: "side by side"
        case .canvas: "whole canvas"
        }
    }
}

/// How an edit is done; undo steps and sessions hold it whole.
nonisolated struct EditSettings: Sendable, Equatable, Codable {
    var mode = EditMode.inpaint
    var anchor = EditAnchor.tokens
    /// Scales kept wholly; for `vary`, the first scale drawn anew.
    var keepScales = 0
    /// Token cells by which the mask is grown.
    var dilate = 0
    /// Mask steps at every scale.
    var maskSteps = 2
    var pasteBack = false
    /// For `repaint`: percent of the tokens drawn anew.
    var share = 25

    /// More or less of the picture: token cells around the mask, or percent for `repaint`.
    mutating func grow(by steps: Int) {
        if mode == .repaint {
            share = max(5, min(100, share + 5 * steps))
        } else {
            dilate = max(0, min(8, dilate + steps))
        }
    }
}

/// Pixels of a row that a change turned over; undo and redo apply it the same way.
nonisolated struct MaskRowDifference: Sendable, Equatable, Codable {
    var y: Int
    /// One bit a pixel, lowest bit first.
    var toggled: [UInt64]
}

/// A place in the picture being edited, in its pixels.
nonisolated struct MaskPoint: Sendable, Hashable {
    var x: Int
    var y: Int
}

nonisolated struct MaskState: Sendable {
    /// A stroke, box or ellipse that has been begun.
    struct Stroke: Sendable {
        var tool: MaskTool
        var start: MaskPoint
        var last: MaskPoint
        /// The mask before it.
        var before: PixelMask
        /// Places of a lasso so far.
        var path: [MaskPoint] = []
        /// Whether it is drawn with the keys.
        var isKeyed = false
    }

    var source: RGBImage?
    var sourceName = ""
    /// The file it came from, if it did.
    var sourcePath: String?
    /// What was done to make the picture fit the model.
    var sourceNotice: String?
    var mask: PixelMask?
    var isMaskUnsaved = false
    var tool = MaskTool.brush
    /// Every tool remembers its own size, in pixels.
    var sizes: [MaskTool: Int] = [:]
    /// Percent of the radius that brush and eraser fill wholly; every tool remembers its own.
    var hardnesses: [MaskTool: Int] = [:]
    /// The scale whose cells are shown instead of the painted mask.
    var cellsScale: Int?
    /// 1 = the whole picture; n shows 1/n of its width around a middle, in shares of the picture.
    var zoom = 1
    var centerX = 0.5
    var centerY = 0.5
    /// The picture larger than the model's, of which the source is a part.
    var canvas: LargeCanvas?
    var cursor = MaskPoint(x: 0, y: 0)
    /// Whether the cursor is moved by keys and so is drawn.
    var isCursorShown = false
    var isMaskShown = true
    var view = MaskView.mask
    var settings = EditSettings()
    var stroke: Stroke?
    /// The run that the result came from.
    var resultRun: Int?
    var result: RGBImage?

    var size: Int { sizes[tool] ?? Self.defaultSize(tool, side: source?.width ?? 28) }

    var hardness: Int { hardnesses[tool] ?? 100 }

    /// Pixels that an arrow key moves the cursor by.
    var cursorStep: Int { max(1, (seen?.width ?? source?.width ?? 0) / 32) }

    /// The part of the picture that is seen; nil for all of it.
    var seen: PixelRect? {
        guard zoom > 1, let source else { return nil }
        let width = max(1, source.width / zoom)
        let height = max(1, source.height / zoom)
        return PixelRect(
            x: max(0, min(source.width - width, Int(centerX * Double(source.width)) - width / 2)),
            y: max(
                0, min(source.height - height, Int(centerY * Double(source.height)) - height / 2)),
            width: width, height: height)
    }

    static func defaultSize(_ tool: MaskTool, side: Int) -> Int {
        max(1, side / (tool == .eraser ? 6 : 9))
    }

    /// Puts a picture to edit, with nothing masked.
    mutating func open(
        _ image: RGBImage, name: String, path: String? = nil, notice: String? = nil
    ) {
        source = image
        sourceName = name
        sourcePath = path
        sourceNotice = notice
        if mask?.width != image.width || mask?.height != image.height {
            mask = PixelMask(width: image.width, height: image.height)
            cursor = MaskPoint(x: image.width / 2, y: image.height / 2)
        }
        stroke = nil
        canvas = nil
        cellsScale = nil
        zoom = 1
        result = nil
        resultRun = nil
        view = .mask
    }

    /// The request that Enter would start.
    func request(sampling: SamplingRequest) -> EditRequest? {
        guard let source, let mask else { return nil }
        var sampling = sampling
        sampling.variant = .hmar
        if settings.mode == .inpaint || settings.mode == .outpaint { sampling.classLabel = nil }
        let steps = sampling.schedule.patchNums.map { $0 > 1 ? settings.maskSteps : 0 }
        return EditRequest(
            source: source, mask: mask, mode: settings.mode, anchor: settings.anchor,
            keepScales: settings.keepScales, dilate: settings.dilate, maskSteps: steps,
            pasteBack: settings.pasteBack, share: Double(settings.share) / 100,
            sampling: sampling)
    }
}
