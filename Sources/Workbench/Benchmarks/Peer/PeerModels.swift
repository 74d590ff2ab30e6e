// Whole models, prepared for timing. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Models

/// A training step of HMAR's first phase: forward, weighted cross-entropy, backward, clipping, AdamW.
final class PeerTrainingStep: PeerWorkload {
    private let network: NextScaleTransformer
    private let labels: [Int32]
    private let input: Tensor
    private let tokens: Tensor
    private let weights: Tensor
    private var optimizer: AdamW

    /// The 32-pixel model: 6 blocks, 192 channels, 6 heads, 130 tokens, 512 codes of 16 channels.
    static let configuration = TransformerConfiguration(
        depth: 6, width: 192, heads: 6, classCount: 16, vocabulary: 512, latentChannels: 16,
        patchNums: [1, 2, 3, 4, 6, 8], maskDepth: 0)

    init(batch: Int) throws {
        guard batch <= 4096 else { throw InputError("batch is \(batch); give 1 to 4096.") }
        let sizes = Self.configuration
        network = try NextScaleTransformer(
            configuration: sizes, attention: .blockDiagonal, store: ParameterStore(seed: 1))
        network.parameters.forEach { $0.isTrainable = true }
        var generator = RandomGenerator(seed: 2)
        labels = (0..<batch).map { _ in Int32(generator.nextInt(below: sizes.classCount + 1)) }
        input = Tensor.normal(
            [batch, sizes.tokenCount - 1, sizes.latentChannels], generator: &generator)
        tokens = Tensor(
            int32: (0..<(batch * sizes.tokenCount)).map { _ in
                Int32(generator.nextInt(below: sizes.vocabulary))
            }, shape: [batch * sizes.tokenCount])
        let perToken = LossWeighting.lognorm.tokenWeights(patchNums: sizes.patchNums)
        weights = Tensor(perToken, shape: [1, sizes.tokenCount])
        optimizer = AdamW(
            groups: [
                ParameterGroup(
                    network.parameters.filter { $0.shape.count >= 2 }, usesWeightDecay: true),
                ParameterGroup(
                    network.parameters.filter { $0.shape.count < 2 }, usesWeightDecay: false),
            ], beta1: 0.9, beta2: 0.95)
    }

    func run(_ request: PeerRequest) throws -> PeerAnswer {
        let sizes = Self.configuration
        let logits = network.logits(labels: labels, nextScaleInput: input)
        let losses = crossEntropy(logits.reshaped([-1, sizes.vocabulary]), targets: tokens)
        let loss =
            (losses.reshaped([-1, sizes.tokenCount]) * weights).sum() * (1 / Float(labels.count))
        let gradients = loss.backward()
        let norm = globalNorm(gradients, of: network.parameters)
        optimizer.step(
            gradients, learningRate: 3e-4, weightDecay: 0.05,
            gradientScale: clippingScale(norm: norm, maxNorm: 2))
        return PeerAnswer(figures: [
            "loss": Double(loss.item()),
            "parameters": Double(network.parameters.reduce(0) { $0 + $1.value.count }),
        ])
    }
}

/// Settings of one sample.
struct PeerSampling: Decodable, Equatable {
    var mode: ComputeMode
    var variant: SamplingVariant
    var classLabel: Int
    var seed: UInt64
    var cfg: Double
    var topK: Int
    var topP: Double
    /// Rows S_k, one per scale.
    var schedule: [[Int]]
    /// Whether the answer carries the picture.
    var wantsPicture: Bool?
}

/// A whole HMAR or VAR with its tokenizer, from public checkpoint files.
struct PeerSample: PeerWorkload {
    private let session: HMARSession

    init(_ request: PeerRequest) throws {
        guard let weights = request.weights, let tokenizer = request.tokenizer else {
            throw InputError(#"hmar_sample needs files in "weights" and "tokenizer"."#)
        }
        let transformer = try TensorArchive.open(path: weights)
        let isVAR = request.sampling?.variant == .var
        session = try HMARSession(
            card: ModelCard(
                name: "peer", system: "hmar", summary: "", data: "", dataLicence: "", licence: ""),
            tokenizer: TensorArchive.open(path: tokenizer), hmar: isVAR ? nil : transformer,
            varBaseline: isVAR ? transformer : nil)
    }

    func run(_ request: PeerRequest) throws -> PeerAnswer {
        guard let settings = request.sampling else {
            throw InputError(#"hmar_sample needs its settings in "sampling"."#)
        }
        let schedule = try SamplingSchedule(
            patchNums: session.geometry.patchNums, rows: settings.schedule)
        let result = try session.sample(
            SamplingRequest(
                variant: settings.variant, classLabel: settings.classLabel, seed: settings.seed,
                cfg: settings.cfg, topK: settings.topK, topP: settings.topP, schedule: schedule,
                mode: settings.mode), control: SamplingControl())
        return PeerAnswer(
            figures: [
                "transformer_seconds": result.secondsPerScale.reduce(0, +),
                "decode_seconds": result.decodeSeconds,
                "passes": Double(result.passCount),
                "peak_bytes": Double(ResidentMemory.peakBytes),
            ],
            picture: settings.wantsPicture == true
                ? result.images.first.map { Data($0.pixels) } : nil)
    }
}
