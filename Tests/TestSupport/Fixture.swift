// Stored reference values. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Files under `Tests/Fixtures`.
public enum Fixture {
    /// The path of a fixture, such as "hmar/ops.safetensors".
    public static func path(_ name: String, from file: String = #filePath) -> String {
        URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures").appendingPathComponent(name).path
    }

    /// All tensors of a fixture, copied from the file.
    public static func tensors(_ name: String) throws -> [String: Tensor] {
        let archive = try TensorArchive.open(path: path(name))
        var result: [String: Tensor] = [:]
        for record in archive.records {
            let storage = CPUDevice.shared.allocate(byteCount: record.bytes.count)
            withExtendedLifetime(record.file) {
                CPUDevice.shared.upload(record.bytes, to: storage)
            }
            result[record.name] = Tensor(
                storage: storage, dtype: record.dtype, shape: record.shape,
                strides: record.strides)
        }
        return result
    }
}
