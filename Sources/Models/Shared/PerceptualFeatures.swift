// How different two pictures look to a network trained to see.
// SPDX-License-Identifier: Apache-2.0
import Core

/// The first seven convolutions of VGG16, frozen, and the distance of pictures in their features.
///
///     d(x, y) = Σ_stages mean over space of Σ_channels (u(x) − u(y))²
///
/// with u the features after relu1_2, relu2_2 and relu3_3, each of unit length over the channels.
/// All channels count the same: this is no LPIPS, whose published weights belong to another lineage
/// of VGG16 and must not be used with this one.
///
/// Numerics: 1e-10 is added to the squared lengths.
/// Source: Simonyan, Zisserman, arXiv 1409.1556; the form of the distance after Zhang et al., arXiv
/// 1801.03924. Checkpoint keys: `conv1_1.{weight,bias}` … `conv3_3.{weight,bias}`.
public final class PerceptualFeatures: Sendable {
    /// Convolutions of every stage; each stage but the first begins with a 2×2 maximum.
    private static let stages = [
        ["conv1_1", "conv1_2"], ["conv2_1", "conv2_2"], ["conv3_1", "conv3_2", "conv3_3"],
    ]
    private static let widths = [64, 128, 256]
    /// Mean blue, green and red of the pictures the network was trained on.
    private static let means: [Float] = [104.00699, 116.66877, 122.67892]
    private let layers: [[Convolution2D]]
    private let colour: Tensor
    private let offset: Tensor

    /// Takes the weights of a store.
    init(store: ParameterStore) {
        var inputs = 3
        layers = zip(Self.stages, Self.widths).map { names, width in
            names.map { name in
                defer { inputs = width }
                return Convolution2D(store.scope[name], inputs: inputs, outputs: width, kernel: 3)
            }
        }
        // The network reads B, G, R in 0…255 less their means; a 1×1 convolution of [−1, 1] pictures.
        colour = Tensor([0, 0, 127.5, 0, 127.5, 0, 127.5, 0, 0], shape: [3, 3, 1, 1])
        offset = Tensor(Self.means.map { 127.5 - $0 }, shape: [3])
    }

    /// Loads the weights.
    ///
    /// - Throws: `CheckpointError.mismatch`.
    public convenience init(archive: TensorArchive) throws {
        let store = ParameterStore(tensors: archive.tensors())
        self.init(store: store)
        try store.refuseMismatch(
            file: archive.path, model: "the convolutions of VGG16 up to relu3_3")
    }

    /// Features after relu1_2, relu2_2 and relu3_3.
    ///
    /// - Parameter images: [B, 3, S, S] in [−1, 1], S a multiple of 4.
    /// - Returns: [B, 64, S, S], [B, 128, S/2, S/2], [B, 256, S/4, S/4].
    public func features(_ images: Tensor) -> [Tensor] {
        var x = convolution2D(images, weight: colour, bias: offset)
        return layers.enumerated().map { index, stage in
            if index > 0 { x = maxPool2D(x, size: 2) }
            for layer in stage { x = layer(x).relu() }
            return x
        }
    }

    /// The mean distance of a batch of pictures from their targets, a scalar.
    ///
    /// - Parameters:
    ///   - images: [B, 3, S, S] in [−1, 1]; gradients flow to them only.
    ///   - targets: of the same shape.
    public func distance(_ images: Tensor, to targets: Tensor) -> Tensor {
        let wanted = withoutGradients { features(targets.detached()) }
        let parts = zip(features(images), wanted).map { a, b -> Tensor in
            // Σ (a/|a| − b/|b|)² from three sums over the channels, without normalised copies.
            let aa = a.square().sum(axes: [1])
            let bb = withoutGradients { b.square().sum(axes: [1]) }
            let ab = (a * b).sum(axes: [1])
            let (na, nb) = (aa + 1e-10, bb + 1e-10)
            return (aa / na + bb / nb - ab * 2 / (na * nb).sqrt()).mean()
        }
        return parts[0] + parts[1] + parts[2]
    }
}
