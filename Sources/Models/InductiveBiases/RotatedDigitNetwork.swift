// The classifiers of rotated digits: plain, p4, and with attention.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Seven convolutions and a maximum over the group, for 28×28 pictures.
///
///     28 ─c1→ 26 ─c2→ 24 ─pool→ 12 ─c3→ 10 ─c4→ 8 ─c5→ 6 ─c6→ 4 ─c7 (K4)→ 1, max over H → logits
///
/// Every layer but the last is followed by batch normalisation over batch, group and pixels
/// (ε = 2e-5) and ReLU. Logits do not change under quarter turns of the input, except those of `z2`.
///
/// Checkpoint keys: `c1…c7.weight` with the attention's keys, `bn1…bn6.*`. Source: Romero et al.,
/// arXiv 2002.03830, and its published code and weights (MIT licence).
public final class RotatedDigitNetwork: Sendable {
    /// The published variants.
    public enum Kind: String, Sendable, Codable, CaseIterable {
        /// Ordinary convolutions, 20 channels.
        case z2 = "z2cnn"
        /// Group convolutions on p4, 10 channels.
        case p4 = "p4cnn"
        /// p4 with attention at the feature maps, αF.
        case featureMapAttention = "f-att-p4cnn"
        /// p4 with attention inside the convolutions, α.
        case fullAttention = "att-p4cnn"

        var attention: GroupAttention {
            switch self {
            case .z2, .p4: .none
            case .featureMapAttention: .featureMap
            case .fullAttention: .full
            }
        }
    }

    public let kind: Kind
    public let parameters: [Parameter]
    private let plain: [Convolution2D]
    private let onGroup: [AttentiveGroupConvolution]
    private let norms: [FieldNorm]
    private static let kernels = [3, 3, 3, 3, 3, 3, 4]

    /// Builds the network from the tensors of a store, or from its initializers.
    public init(kind: Kind, store: ParameterStore) {
        self.kind = kind
        let scope = store.scope
        let width = kind == .z2 ? 20 : 10
        var plain: [Convolution2D] = []
        var onGroup: [AttentiveGroupConvolution] = []
        for (index, kernel) in Self.kernels.enumerated() {
            let (inputs, outputs) = (index == 0 ? 1 : width, index == 6 ? 10 : width)
            let layer = scope["c\(index + 1)"]
            if kind == .z2 {
                plain.append(
                    Convolution2D(
                        layer, inputs: inputs, outputs: outputs, kernel: kernel,
                        padding: Padding2D.none, hasBias: false))
            } else {
                onGroup.append(
                    AttentiveGroupConvolution(
                        layer, group: .p4, attention: kind.attention, inputs: inputs,
                        outputs: outputs, kernel: kernel, isLifting: index == 0))
            }
        }
        self.plain = plain
        self.onGroup = onGroup
        norms = (1...6).map {
            FieldNorm(
                scope, type: FieldType(scalars: width), names: .init(scalars: "bn\($0)"),
                epsilon: 2e-5)
        }
        parameters = store.parameters
    }

    /// Class scores.
    ///
    /// - Parameter images: [B, 1, 28, 28], normalised as ``RotatedDigits`` says.
    /// - Returns: [B, 10].
    public func logits(
        _ images: Tensor, isTraining: Bool = false,
        observe: ((Int, AttentiveGroupConvolution.Maps) -> Void)? = nil
    ) -> Tensor {
        var x = images
        for index in Self.kernels.indices {
            x =
                plain.isEmpty
                ? plainOrGroup(x, index, observe) : plain[index](x)
            if index < 6 { x = norms[index](x, isTraining: isTraining) }
            if index == 1 { x = pooled(x) }
        }
        let scores = x.reshaped([x.shape[0], 10, x.count / (10 * x.shape[0])])
        return scores.max(axis: 2)
    }

    private func plainOrGroup(
        _ x: Tensor, _ index: Int,
        _ observe: ((Int, AttentiveGroupConvolution.Maps) -> Void)?
    ) -> Tensor {
        onGroup[index](x, observe: observe.map { observe in { observe(index, $0) } })
    }

    /// Every plane by 2×2 maxima.
    private func pooled(_ x: Tensor) -> Tensor {
        let lead = Array(x.shape.dropLast(2))
        let (height, width) = (x.shape[x.rank - 2], x.shape[x.rank - 1])
        return maxPool2D(x.reshaped([lead.reduce(1, *), 1, height, width]), size: 2)
            .reshaped(lead + [height / 2, width / 2])
    }
}

extension RotatedDigitNetwork {
    /// Loads a published or own checkpoint; the variant is told by its tensors.
    ///
    /// - Throws: `CheckpointError`.
    public convenience init(archive: TensorArchive) throws {
        let model = "a classifier of rotated digits"
        let first = archive["c1.channel_attention.weight_fc1"]?.shape.count
        let kind: Kind
        switch (try archive.requiredShape("c7.weight", model: model).count, first) {
        case (4, nil): kind = .z2
        case (5, nil): kind = .p4
        case (5, 2?): kind = .featureMapAttention
        case (5, 3?): kind = .fullAttention
        default:
            throw CheckpointError.inconsistent(
                file: archive.path, tensor: "c7.weight",
                reason: "its shape and the attention's are those of no published variant",
                hint: "known are " + Kind.allCases.map(\.rawValue).joined(separator: ", "))
        }
        let store = ParameterStore(tensors: archive.tensors())
        self.init(kind: kind, store: store)
        try store.refuseMismatch(file: archive.path, model: model) {
            $0.hasSuffix(".num_batches_tracked")
        }
    }
}

extension TensorArchive {
    fileprivate func requiredShape(_ name: String, model: String) throws -> [Int] {
        guard let rank = self[name]?.shape.count else {
            return try requiredShape(name, rank: 5, model: model)
        }
        return try requiredShape(name, rank: rank, model: model)
    }
}

extension RotatedDigitNetwork {
    /// Rolls the input group axis of a layer's filters by one: they then look at other orientations.
    ///
    /// Accuracy is lost, invariance is not, since it comes from how filters are moved. For showing
    /// just that.
    ///
    /// - Throws: ``ConfigurationError`` for networks without a group, and for the lifting layer.
    public func rollGroupAxis(layer: Int) throws {
        guard let weight = parameters.first(where: { $0.name == "c\(layer).weight" }),
            weight.shape.count == 5
        else {
            throw ConfigurationError.invalid(
                name: "layer", found: "\(layer)", allowed: "2 to 7 of a network on p4")
        }
        let value = weight.value
        let order = value.shape[2]
        weight.value = Tensor.concatenated(
            [
                value.narrowed(axis: 2, start: order - 1, length: 1),
                value.narrowed(axis: 2, start: 0, length: order - 1),
            ], axis: 2)
    }
}
