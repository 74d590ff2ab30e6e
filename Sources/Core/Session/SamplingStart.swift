// Where a sample goes on from scales that are there already. SPDX-License-Identifier: Apache-2.0

/// The finished coarse scales that a sample starts from instead of from nothing.
///
/// HMAR keeps nothing between scales but the picture accumulated so far, and that follows from the tokens:
/// going back to a scale and drawing from there anew costs none of the passes before it.
/// Source: HMAR (arXiv 2506.04421), section 3; the use for branches is ours.
public struct SamplingStart: Sendable, Equatable, Codable {
    /// The tokens of scales 0 ..< ``scale``, for each picture of the batch; finer ones are not looked at.
    public var tokens: [TokenMaps]
    /// The first scale that is drawn, 1 ..< K.
    public var scale: Int

    /// - Parameters:
    ///   - tokens: one for each picture of the batch.
    ///   - scale: the first scale that is drawn.
    public init(tokens: [TokenMaps], scale: Int) {
        self.tokens = tokens.map {
            TokenMaps(patchNums: $0.patchNums, scales: Array($0.scales.prefix(scale)))
        }
        self.scale = scale
    }

    /// Whether it fits a batch of a model: token maps of the right sizes, and codes of its codebook.
    public func fits(count: Int, _ geometry: ScaleGeometry) -> Bool {
        guard geometry.patchNums.indices.contains(scale), scale > 0, tokens.count == count else {
            return false
        }
        return tokens.allSatisfy { maps in
            maps.patchNums == geometry.patchNums && maps.scales.count == scale
                && zip(maps.scales, geometry.patchNums).allSatisfy { codes, side in
                    codes.count == side * side
                        && codes.allSatisfy { $0 >= 0 && Int($0) < geometry.vocabulary }
                }
        }
    }
}
