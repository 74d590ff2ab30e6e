// The rotation-equivariant encoder: an invariant embedding and one vector that turns with the picture.
// SPDX-License-Identifier: Apache-2.0
import Core

/// How an encoder halves its maps.
public enum EncoderPooling: String, Sendable, Codable, CaseIterable {
    /// Not at all, as the published network.
    case none
    /// By a 4×4 binomial filter that looks the same from all sides: quarter turns stay exact.
    case symmetric
    /// By a 5×5 Gaussian that is off the centre of even maps. It gives the network a compass and
    /// destroys equivariance: kept to show that.
    case asymmetric
}

/// Sizes and variants of a ``SteerableEncoder``.
public struct SteerableEncoderConfiguration: Sendable, Equatable, Codable {
    /// h: hidden layers have 2h scalars and h vectors.
    public var hiddenWidth: Int
    /// E: length of the embedding.
    public var embeddingWidth: Int
    /// After the second and the fourth layer.
    public var pooling: EncoderPooling
    /// Whether only the inscribed disc of the input and of the last map counts.
    public var hasDiscMask: Bool
    /// Whether the second and third nonlinearity share their vector biases, as in the published
    /// network.
    public var sharesBias: Bool

    public init(
        hiddenWidth: Int, embeddingWidth: Int, pooling: EncoderPooling = .none,
        hasDiscMask: Bool = false, sharesBias: Bool = true
    ) {
        self.hiddenWidth = hiddenWidth
        self.embeddingWidth = embeddingWidth
        self.pooling = pooling
        self.hasDiscMask = hasDiscMask
        self.sharesBias = sharesBias
    }

    /// h = 64, E = 200 without pooling.
    public static let published = SteerableEncoderConfiguration(
        hiddenWidth: 64, embeddingWidth: 200)

    /// - Throws: ``ConfigurationError``.
    public func validate() throws(ConfigurationError) {
        try ConfigurationError.require(
            (1...512).contains(hiddenWidth), "hidden_width", "\(hiddenWidth)", "1 to 512")
        try ConfigurationError.require(
            (1...4096).contains(embeddingWidth), "embedding_width", "\(embeddingWidth)",
            "1 to 4096")
    }
}

/// Seven SO(2)-steerable convolutions and a mean over the pixels.
///
///     28² ─K7→ 24² ─K5─K5─K5─K5→ 24² ─K3→ 26² ─K1→ E scalars + 1 vector ─mean→ η [B, E], v [B, 2]
///
/// Exactly equivariant under quarter turns (v turns, η stays), approximately under all rotations.
///
/// Checkpoint keys: `blockN.0.weights`, `blockN.1.merging…`, `blockN.2.merging…log_bias` for
/// N = 1…6, `block_final.0.weights`. Source: ssl-sym's published code; the pooling and the disc mask
/// are ours.
public final class SteerableEncoder: Sendable {
    /// Side of the pictures.
    public static let side = 28
    public let configuration: SteerableEncoderConfiguration
    private let blocks: [(convolution: SteerableConvolution, norm: FieldNorm)]
    private let head: SteerableConvolution
    private let inputMask: Tensor?
    private let meanWeights: Tensor?

    /// Makes or takes the parameters of a scope.
    public init(_ scope: ParameterScope, configuration: SteerableEncoderConfiguration) {
        self.configuration = configuration
        let h = configuration.hiddenWidth
        let hidden = FieldType(scalars: 2 * h, vectors: h)
        var blocks: [(convolution: SteerableConvolution, norm: FieldNorm)] = []
        for (index, layer) in Self.layers.enumerated() {
            let block = scope["block\(index + 1)"]
            let convolution = SteerableConvolution(
                block["0"], inputs: index == 0 ? FieldType(scalars: 1) : hidden, outputs: hidden,
                kernel: layer.kernel, padding: layer.padding)
            let shared = configuration.sharesBias && index == 2 ? blocks[1].norm.logBias : nil
            blocks.append(
                (
                    convolution,
                    FieldNorm(
                        block, type: hidden,
                        names: .init(
                            scalars: "1.merging.submodule_0.batch_norm_[1]",
                            vectorWeight: ("1.merging.submodule_1.2_weight", [1, h, 1, 1, 1]),
                            vectorVariance: (
                                "1.merging.submodule_1.2_running_var", [1, h, 1, 1, 1]
                            ),
                            logBias: ("2.merging.submodule_1.log_bias", [1, h, 1, 1])),
                        sharedLogBias: shared)
                ))
        }
        self.blocks = blocks
        head = SteerableConvolution(
            scope["block_final"]["0"], inputs: hidden,
            outputs: FieldType(scalars: configuration.embeddingWidth, vectors: 1), kernel: 1)
        let hasMask = configuration.hasDiscMask
        inputMask = hasMask ? Self.disc(side: Self.side, device: scope.device) : nil
        let last = configuration.pooling == .none ? 26 : 8
        let disc = Self.disc(side: last, device: scope.device)
        meanWeights = hasMask ? (disc / disc.sum()).reshaped([last * last, 1]) : nil
    }

    private static let layers: [(kernel: Int, padding: Int)] = [
        (7, 1), (5, 2), (5, 2), (5, 2), (5, 2), (3, 2),
    ]

    /// 1 where a pixel is within side/2 of the centre, [1, 1, side, side].
    static func disc(side: Int, device: any Device) -> Tensor {
        let centre = Float(side - 1) / 2
        let values = (0..<(side * side)).map { i -> Float in
            let (x, y) = (Float(i % side) - centre, Float(i / side) - centre)
            return (x * x + y * y).squareRoot() <= Float(side) / 2 ? 1 : 0
        }
        return Tensor(values, shape: [1, 1, side, side], device: device)
    }

    /// Running moments of all layers.
    var moments: [Parameter] { blocks.flatMap(\.norm.moments) }

    /// The maps behind each of the six hidden layers.
    ///
    /// - Parameter images: [B, 1, 28, 28] in 0…1.
    package func maps(_ images: Tensor, isTraining: Bool = false) -> [Tensor] {
        var x = inputMask.map { images * $0 } ?? images
        return blocks.enumerated().map { index, block in
            x = block.norm(block.convolution(x), isTraining: isTraining)
            let map = x
            if index == 1 || index == 3 { x = pooled(x) }
            return map
        }
    }

    private func pooled(_ x: Tensor) -> Tensor {
        let half = (height: (x.shape[2] + 1) / 2, width: (x.shape[3] + 1) / 2)
        switch configuration.pooling {
        case .none: return x
        case .symmetric: return resized(x, to: half, method: .binomialPool)
        case .asymmetric: return resized(x, to: half, method: .gaussianPool)
        }
    }

    /// Embeddings and pose vectors of pictures.
    ///
    /// - Parameters:
    ///   - images: [B, 1, 28, 28] in 0…1.
    ///   - isTraining: normalises by the batch and moves the running moments.
    /// - Returns: η [B, E] and v [B, 2].
    public func callAsFunction(
        _ images: Tensor, isTraining: Bool = false
    ) -> (embedding: Tensor, vector: Tensor) {
        let maps = maps(images, isTraining: isTraining)
        // The last layer is linear in each pixel, so that the mean may be taken before it.
        let mean = pixelMean(maps[maps.count - 1])
        let shape = mean.shape
        let out = linear(
            mean, head.filter().reshaped([configuration.embeddingWidth + 2, shape[1]]), nil)
        return (
            out.narrowed(axis: 1, start: 0, length: configuration.embeddingWidth).contiguous(),
            out.narrowed(axis: 1, start: configuration.embeddingWidth, length: 2).contiguous()
        )
    }

    /// [B, C, S, S] → [B, C], over all pixels or those of the disc.
    private func pixelMean(_ x: Tensor) -> Tensor {
        guard let meanWeights else { return x.mean(axes: [2, 3]) }
        return matmul(x.reshaped([x.shape[0] * x.shape[1], meanWeights.count]), meanWeights)
            .reshaped([x.shape[0], x.shape[1]])
    }
}
