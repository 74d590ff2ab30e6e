// How maps, places and classes become transformer inputs.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Class table, start position, positions, levels and the word embedding of latent rows.
///
/// Checkpoint keys: `class_emb.weight` [N_c+1, C], `pos_start` [1, 1, C], `pos_1LC` [1, L, C],
/// `lvl_embed.weight` [K, C], `word_embed.weight` [C, Z] and its bias, which HMAR stores apart as
/// `word_embed_bias` because its mask tower adds two embedded maps and the bias once.
public struct TokenEmbeddings: Sendable {
    private let configuration: TransformerConfiguration
    let classTable: Parameter
    let positionStart: Parameter
    let positions: Parameter
    let levels: Parameter
    let wordWeight: Parameter
    let wordBias: Parameter

    init(_ scope: ParameterScope, configuration: TransformerConfiguration, wordBiasName: String) {
        self.configuration = configuration
        let c = configuration
        let initial = Initializer.transformer(width: c.width)
        wordWeight = scope.parameter(
            "word_embed.weight", shape: [c.width, c.latentChannels], initializer: initial)
        wordBias = scope.parameter(wordBiasName, shape: [c.width])
        classTable = scope.parameter(
            "class_emb.weight", shape: [c.classCount + 1, c.width], initializer: initial)
        positionStart = scope.parameter(
            "pos_start", shape: [1, 1, c.width], initializer: initial)
        positions = scope.parameter(
            "pos_1LC", shape: [1, c.tokenCount, c.width], initializer: initial)
        levels = scope.parameter(
            "lvl_embed.weight", shape: [c.scaleCount, c.width], initializer: initial)
    }

    /// The condition c, also the start token: rows of the class table, [B, C].
    func condition(_ labels: [Int32]) -> Tensor {
        condition(Tensor(int32: labels, shape: [labels.count]))
    }

    /// The same for labels on the device, int32 [B].
    func condition(_ labels: Tensor) -> Tensor {
        embedding(classTable.tensor, indices: labels)
    }

    /// lp = level + position of every token, [1, L, C].
    func places() -> Tensor {
        let ids = configuration.tokenCounts.enumerated().flatMap { scale, count in
            [Int32](repeating: Int32(scale), count: count)
        }
        return positions.tensor
            + embedding(levels.tensor, indices: Tensor(int32: ids, shape: [1, ids.count]))
    }

    /// lp of one scale, [1, p_k², C].
    func places(scale: Int) -> Tensor {
        let counts = configuration.tokenCounts
        let start = counts[..<scale].reduce(0, +)
        let level = levels.tensor.narrowed(axis: 0, start: scale, length: 1).unsqueezed(0)
        return positions.tensor.narrowed(axis: 1, start: start, length: counts[scale]) + level
    }

    /// The start token without its place: c + pos_start, [B, 1, C].
    func start(_ condition: Tensor) -> Tensor {
        condition.unsqueezed(1) + positionStart.tensor
    }

    /// Latent rows [B, n, Z] through the word embedding without its bias.
    func word(_ rows: Tensor) -> Tensor { linear(rows, wordWeight.tensor) }

    /// The teacher-forced input of all scales.
    ///
    /// - Parameters:
    ///   - condition: c, [B, C].
    ///   - embedded: word-embedded rows of scales 1…K−1 without bias, [B, L − 1, C].
    /// - Returns: [B, L, C].
    func sequence(condition: Tensor, embedded: Tensor) -> Tensor {
        Tensor.concatenated([start(condition), embedded + wordBias.tensor], axis: 1) + places()
    }
}

extension Initializer {
    /// The published initialisation of linear and embedding weights, standard deviation √(1/(3C)).
    static func transformer(width: Int) -> Initializer {
        // The published cut at ±2 absolute never acts, so this is a normal distribution.
        .normal(standardDeviation: (1 / (3 * Float(width))).squareRoot())
    }
}
