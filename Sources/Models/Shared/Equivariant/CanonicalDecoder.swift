// From an invariant embedding to the canonical picture of its class.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A plain convolutional decoder.
///
///     η → 2² ─conv1→ ×2 → 4² ─conv3→ ×2 → 8² ─conv3→ ×2 → 16² ─conv5→ 28² ─conv5→ conv1 → σ
///
/// Every hidden layer is convolution, batch normalisation, dropout of whole maps (0.2), ReLU;
/// resizing is bilinear with aligned corners.
///
/// Checkpoint keys: `block1…5.0.{weight,bias}`, `block1…5.1.{weight,bias,running_mean,running_var}`,
/// `block6.0.{weight,bias}`. Source: ssl-sym's published code.
public struct CanonicalDecoder: Sendable {
    /// E: length of the embedding.
    public let embeddingWidth: Int
    /// d: channels of the hidden layers.
    public let width: Int
    /// Share of maps that training drops.
    public static let dropout: Float = 0.2
    private let blocks: [(convolution: Convolution2D, norm: FieldNorm)]
    private let head: Convolution2D
    private static let layers: [(side: Int, kernel: Int)] = [
        (2, 1), (4, 3), (8, 3), (16, 5), (28, 5),
    ]

    /// Makes or takes the parameters of a scope.
    public init(_ scope: ParameterScope, embeddingWidth: Int, width: Int) {
        self.embeddingWidth = embeddingWidth
        self.width = width
        blocks = Self.layers.enumerated().map { index, layer in
            let block = scope["block\(index + 1)"]
            let inputs = index == 0 ? embeddingWidth : width
            let bound = 1 / Float(inputs * layer.kernel * layer.kernel).squareRoot()
            return (
                Convolution2D(
                    block["0"], inputs: inputs, outputs: width, kernel: layer.kernel,
                    biasInitializer: .uniform(bound: bound)),
                FieldNorm(block, type: FieldType(scalars: width), names: .init(scalars: "1"))
            )
        }
        head = Convolution2D(
            scope["block6"]["0"], inputs: width, outputs: 1, kernel: 1,
            biasInitializer: .uniform(bound: 1 / Float(width).squareRoot()))
    }

    /// Running moments of all layers.
    var moments: [Parameter] { blocks.flatMap(\.norm.moments) }

    /// Canonical pictures [B, 1, 28, 28] in 0…1 of embeddings [B, E].
    public func callAsFunction(_ embedding: Tensor) -> Tensor {
        decode(embedding, isTraining: false) { $0 }
    }

    /// The same in training: batch statistics, and maps dropped by a generator.
    public func callAsFunction(
        _ embedding: Tensor, dropping generator: inout RandomGenerator
    ) -> Tensor {
        decode(embedding, isTraining: true) { x in
            let scale = 1 / (1 - Self.dropout)
            let mask = (0..<(x.shape[0] * x.shape[1])).map { _ in
                generator.nextFloat() < Self.dropout ? 0 : scale
            }
            return x * Tensor(mask, shape: [x.shape[0], x.shape[1], 1, 1], device: x.device)
        }
    }

    /// Batch statistics without dropping anything.
    package func trainingForwardWithoutDropout(_ embedding: Tensor) -> Tensor {
        decode(embedding, isTraining: true) { $0 }
    }

    private func decode(
        _ embedding: Tensor, isTraining: Bool, drop: (Tensor) -> Tensor
    ) -> Tensor {
        var x = embedding.reshaped([embedding.shape[0], embeddingWidth, 1, 1])
        for (layer, block) in zip(Self.layers, blocks) {
            x =
                x.shape[2] == 1
                ? x.expanded(to: [x.shape[0], x.shape[1], layer.side, layer.side])
                : resized(x, to: (layer.side, layer.side), method: .bilinear)
            // Dropping commutes with the ReLU, so that it may follow the fused operator.
            x = drop(block.norm(block.convolution(x), isTraining: isTraining))
        }
        return head(x).sigmoid()
    }
}
