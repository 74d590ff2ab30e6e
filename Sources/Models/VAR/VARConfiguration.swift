// Sizes of the published VAR models.
// SPDX-License-Identifier: Apache-2.0
import Core

extension TransformerConfiguration {
    /// VAR d36 for 512 pixels: modulation shared by all blocks.
    public static let published512VAR = TransformerConfiguration(
        depth: 36, width: 64 * 36, heads: 36, classCount: 1000, vocabulary: 4096,
        latentChannels: 32, patchNums: [1, 2, 3, 4, 6, 9, 13, 18, 24, 32], usesSharedAdaLN: true)
}
