// Small class-pose networks that were trained in PyTorch, computed by ours.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@testable import Models

/// `shared/data/symmetry/reference_small_*.safetensors`, where that folder lies beside the checkout;
/// elsewhere nothing is tested.
///
/// The expected numbers: an implementation in PyTorch 2.15 from the published formulas
/// (`Benchmarks/peers/symmetry_network.py`) in float64 on the six digits of
/// `Fixtures/symmetry/ieae_tiny_eval.safetensors`.
@Suite struct ReferenceSymmetryModelTests {
    private static let folder: String? = {
        var folder = URL(fileURLWithPath: Fixture.path(""))
        for _ in 0..<6 {
            folder.deleteLastPathComponent()
            let path = folder.appendingPathComponent("shared/data/symmetry").path
            if FileManager.default.fileExists(atPath: path + "/reference_small_p4_ssl.safetensors")
            {
                return path
            }
        }
        return nil
    }()

    /// Its names are not the published ones.
    private func network(_ name: String, in folder: String) throws
        -> InvariantEquivariantAutoencoder
    {
        let archive = try TensorArchive.open(
            path: "\(folder)/reference_small_p4_\(name).safetensors")
        let scalars = "1.merging.submodule_0.batch_norm_[1]"
        let items = archive.tensors().map { key, tensor -> Safetensors.Item in
            let parts = key.split(separator: ".").map(String.init)
            let number = parts.count > 2 ? (Int(parts[2]) ?? 0) + 1 : 0
            let last = parts[parts.count - 1]
            let block = "encoder.block\(number)."
            switch (parts[0], parts[1]) {
            case ("enc", "fin"):
                return .init(name: "encoder.block_final.0.weights", tensor: tensor)
            case ("enc", "convs"): return .init(name: block + "0.weights", tensor: tensor)
            case ("enc", _):
                let h = tensor.shape[0]
                if parts[3] == "bn" {
                    return .init(name: block + scalars + "." + last, tensor: tensor)
                }
                return last == "logb"
                    ? .init(
                        name: block + "2.merging.submodule_1.log_bias",
                        tensor: tensor.reshaped([1, h, 1, 1]))
                    : .init(
                        name: block + "1.merging.submodule_1.2_"
                            + (last == "rv" ? "running_var" : "weight"),
                        tensor: tensor.reshaped([1, h, 1, 1, 1]))
            case ("dec", "o"): return .init(name: "decoder.block6.0." + last, tensor: tensor)
            default:
                return .init(name: "decoder.block\(number).\(parts[3]).\(last)", tensor: tensor)
            }
        }
        let temporary = try TemporaryFolder()
        let path = temporary.path + "/weights.safetensors"
        try Safetensors.write(
            items, metadata: ["pooling": "symmetric", "disc_mask": "true"], to: path)
        return try InvariantEquivariantAutoencoder(archive: TensorArchive.open(path: path))
    }

    private static let expected:
        [(name: String, poses: [Double], lengths: [Double], error: Double)] =
            [
                (
                    "ieae", [84.3938, -54.1055, 4.0398, 50.0053, 9.2065, 95.4229],
                    [2.722501, 2.219563, 2.524835, 2.665209, 1.599333, 2.625839], 0.0195449976
                ),
                (
                    "ssl", [8.0749, -100.9695, -81.7477, 153.6374, -83.4501, 10.3205],
                    [2.574652, 2.373741, 2.858558, 3.063376, 1.887384, 3.027443], 0.0239089232
                ),
            ]

    @Test(.enabled(if: folder != nil), arguments: [0, 1])
    func posesEmbeddingsAndReconstructionsAgree(row: Int) throws {
        let folder = try #require(Self.folder)
        let expected = Self.expected[row]
        let network = try network(expected.name, in: folder)
        let digits = try #require(Fixture.tensors("symmetry/ieae_tiny_eval.safetensors")["x"])
        let output = network(digits)
        for (pose, wanted) in zip(
            InvariantEquivariantAutoencoder.degrees(output.vector), expected.poses)
        {
            #expect(abs(SymmetryPose.wrap(pose - wanted)) < 0.01)
        }
        let lengths = output.embedding.square().sum(axes: [1]).sqrt().floats()
        for (length, wanted) in zip(lengths, expected.lengths) {
            #expect(abs(Double(length) - wanted) < 1e-4 * wanted)
        }
        let error = InvariantEquivariantAutoencoder.losses(output, images: digits).reconstruction
        #expect(abs(Double(error.item()) - expected.error) < 1e-4 * expected.error)
    }
}
