// The sizes of the transformers of VAR and HMAR.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Sizes of a scale-by-scale transformer; all can be read off a checkpoint.
///
/// Published models have width 64·depth and heads of 64; small ones choose both freely.
/// Source: VAR (arXiv 2404.02905), HMAR (arXiv 2506.04421).
public struct TransformerConfiguration: Sendable, Equatable, Codable {
    /// Blocks of one tower, d.
    public var depth: Int
    /// Channels, C.
    public var width: Int
    /// Attention heads, H; C is a multiple.
    public var heads: Int
    /// Classes N_c; the class table has one more row for "no class".
    public var classCount: Int
    /// Codebook size of the tokenizer, V.
    public var vocabulary: Int
    /// Latent channels of the tokenizer, Z.
    public var latentChannels: Int
    /// Side p_k of every token map, coarse to fine.
    public var patchNums: [Int]
    /// Top blocks that exist twice in HMAR and are trained in phase 2, n; published 8.
    public var maskDepth: Int
    /// One modulation network for all blocks (VAR d36).
    public var usesSharedAdaLN: Bool

    public init(
        depth: Int, width: Int, heads: Int, classCount: Int, vocabulary: Int, latentChannels: Int,
        patchNums: [Int], maskDepth: Int = 8, usesSharedAdaLN: Bool = false
    ) {
        self.depth = depth
        self.width = width
        self.heads = heads
        self.classCount = classCount
        self.vocabulary = vocabulary
        self.latentChannels = latentChannels
        self.patchNums = patchNums
        self.maskDepth = maskDepth
        self.usesSharedAdaLN = usesSharedAdaLN
    }

    /// The published 256-pixel models of depth 16, 20, 24 and 30.
    public static func published256(depth: Int) -> TransformerConfiguration {
        TransformerConfiguration(
            depth: depth, width: 64 * depth, heads: depth, classCount: 1000, vocabulary: 4096,
            latentChannels: 32, patchNums: VQVAEConfiguration.published256.patchNums)
    }

    /// Tokens of every map, p_k².
    public var tokenCounts: [Int] { patchNums.map { $0 * $0 } }
    /// Tokens of all maps, L.
    public var tokenCount: Int { tokenCounts.reduce(0, +) }
    /// Number of token maps, K.
    public var scaleCount: Int { patchNums.count }
    /// The label that means "no class".
    public var noClass: Int { classCount }

    /// Guidance at a scale: cfg·k/(K−1), so that the coarsest map is never guided.
    public func guidance(cfg: Double, scale: Int) -> Double {
        scaleCount > 1 ? cfg * Double(scale) / Double(scaleCount - 1) : 0
    }

    /// Drop-path rate of every block in training, 0 to 0.1·d/24 along the depth.
    ///
    /// Off below depth 12: small models do not overfit their blocks.
    public var dropPathRates: [Float] {
        guard depth >= 12 else { return [Float](repeating: 0, count: depth) }
        return (0..<depth).map { 0.1 * Float(depth) / 24 * Float($0) / Float(depth - 1) }
    }

    /// Checks what a recipe may get wrong.
    ///
    /// - Throws: ``ConfigurationError``.
    public func validate() throws(ConfigurationError) {
        try ConfigurationError.require(depth > 0 && depth <= 256, "depth", "\(depth)", "1 to 256")
        try ConfigurationError.require(
            width > 0 && width <= 65_536, "width", "\(width)", "1 to 65536")
        try ConfigurationError.require(
            heads > 0 && width % heads == 0, "heads", "\(heads)", "a divisor of width \(width)")
        try ConfigurationError.require(
            classCount > 0, "classes", "\(classCount)", "1 or more")
        try ConfigurationError.require(vocabulary > 1, "vocabulary", "\(vocabulary)", "2 or more")
        try ConfigurationError.require(
            maskDepth >= 0 && maskDepth <= depth, "mask_depth", "\(maskDepth)", "0 to \(depth)")
        try ConfigurationError.validate(patchNums: patchNums)
    }
}
