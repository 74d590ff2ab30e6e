// The sizes of a multi-scale residual VQ-VAE.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Sizes of the multi-scale tokenizer; everything but ``patchNums`` can be read off a checkpoint.
///
/// Source: VAR (arXiv 2404.02905), section 3.2; the published tokenizer is ``published256``.
public struct VQVAEConfiguration: Sendable, Equatable, Codable {
    /// Channels of the first level, `ch`; a multiple of 32.
    public var channels: Int
    /// Channel multiplier of every level, `ch_mult`; each level but the last halves the side.
    public var channelMultipliers: [Int]
    /// Residual blocks per level of the encoder; the decoder has one more.
    public var residualBlocks: Int
    /// Channels of the latent, Z.
    public var latentChannels: Int
    /// Codebook entries, V.
    public var vocabulary: Int
    /// Side p_k of every token map, coarse to fine.
    public var patchNums: [Int]
    /// Number of phi convolutions shared by the scales.
    public var phiCount: Int
    /// Groups of every normalisation; 32 in published tokenizers. Of 32 channels in 32 groups each
    /// is normalised by itself, which loses a picture's mean colours: narrow levels want fewer.
    public var normGroups: Int

    public init(
        channels: Int, channelMultipliers: [Int], residualBlocks: Int = 2, latentChannels: Int,
        vocabulary: Int, patchNums: [Int], phiCount: Int = 4, normGroups: Int = 32
    ) {
        self.channels = channels
        self.channelMultipliers = channelMultipliers
        self.residualBlocks = residualBlocks
        self.latentChannels = latentChannels
        self.vocabulary = vocabulary
        self.patchNums = patchNums
        self.phiCount = phiCount
        self.normGroups = normGroups
    }

    /// `vae_ch160v4096z32` at 256 pixels.
    public static let published256 = VQVAEConfiguration(
        channels: 160, channelMultipliers: [1, 1, 2, 2, 4], latentChannels: 32, vocabulary: 4096,
        patchNums: [1, 2, 3, 4, 5, 6, 8, 10, 13, 16])

    /// Pixels per latent cell along a side, f = 2^(levels − 1).
    public var downsampling: Int { 1 << (channelMultipliers.count - 1) }
    /// Side P of the latent, that of the last token map.
    public var latentSide: Int { patchNums.last ?? 0 }
    /// Side of the image in pixels, f·P.
    public var imageSize: Int { downsampling * latentSide }
    /// Number of token maps, K.
    public var scaleCount: Int { patchNums.count }
    /// Tokens of all maps, L = Σ p_k².
    public var tokenCount: Int { patchNums.reduce(0) { $0 + $1 * $1 } }

    /// Checks what a recipe may get wrong.
    ///
    /// - Throws: ``ConfigurationError``.
    public func validate() throws(ConfigurationError) {
        try ConfigurationError.require(
            channels > 0 && channels % 32 == 0 && channels <= 8192, "channels", "\(channels)",
            "a multiple of 32 up to 8192")
        try ConfigurationError.require(
            normGroups > 0 && channels % normGroups == 0, "norm_groups", "\(normGroups)",
            "a divisor of the \(channels) channels")
        try ConfigurationError.require(
            !channelMultipliers.isEmpty && channelMultipliers.count <= 16
                && channelMultipliers.allSatisfy { $0 > 0 && $0 <= 64 },
            "channel_multipliers", "\(channelMultipliers)", "1 to 64 for each of 1 to 16 levels")
        try ConfigurationError.require(
            residualBlocks > 0, "residual_blocks", "\(residualBlocks)", "1 or more")
        try ConfigurationError.require(
            latentChannels > 0, "latent_channels", "\(latentChannels)", "1 or more")
        try ConfigurationError.require(vocabulary > 1, "vocabulary", "\(vocabulary)", "2 or more")
        try ConfigurationError.require(phiCount > 0, "phi_count", "\(phiCount)", "1 or more")
        try ConfigurationError.validate(patchNums: patchNums)
    }
}
