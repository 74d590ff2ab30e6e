// What the token grid shows.
// SPDX-License-Identifier: Apache-2.0

nonisolated enum TokenColoring: String, Sendable, CaseIterable {
    case confidence, entropy, origin

    var title: String {
        switch self {
        case .confidence: "confidence"
        case .entropy: "entropy"
        case .origin: "kept / step"
        }
    }
}

nonisolated struct TokensState: Sendable, Equatable {
    var coloring = TokenColoring.confidence
    /// The scale shown; nil follows the run.
    var scale: Int?
    var row = 0
    var column = 0
}
