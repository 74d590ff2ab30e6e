// The folder of a training run: checkpoint, metrics, weights. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Reads and writes what a training run leaves behind.
struct RunFolder {
    /// The folder.
    let path: String

    /// Creates the folder if it is not there.
    ///
    /// - Throws: `InputError` when it cannot be made.
    init(path: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        } catch {
            throw InputError(
                "\(path): this folder cannot be made (\(error.localizedDescription)); "
                    + "give another with --out.")
        }
        self.path = path
    }

    /// Everything needed to go on.
    var checkpointPath: String { path + "/checkpoint.safetensors" }
    /// One JSON object a line.
    var metricsPath: String { path + "/metrics.jsonl" }
    /// What the run was for.
    var weightsPath: String { path + "/weights.safetensors" }

    private static let prefix = "state."

    /// Saves a state, atomically.
    func save(_ state: TrainingState) throws {
        let items = state.tensors.keys.sorted().compactMap { name in
            state.tensors[name].map { Safetensors.Item(name: name, tensor: $0) }
        }
        let metadata = Dictionary(
            uniqueKeysWithValues: state.values.map { (Self.prefix + $0.key, $0.value) })
        try Safetensors.write(items, metadata: metadata, to: checkpointPath)
    }

    /// The saved state, if there is one.
    func load(device: any Device) throws -> TrainingState? {
        guard FileManager.default.fileExists(atPath: checkpointPath) else { return nil }
        let archive = try Safetensors.open(path: checkpointPath)
        var values: [String: String] = [:]
        for (key, value) in archive.metadata where key.hasPrefix(Self.prefix) {
            values[String(key.dropFirst(Self.prefix.count))] = value
        }
        return TrainingState(tensors: archive.tensors(device: device), values: values)
    }

    /// Appends one line of metrics.
    func append(_ record: Trainer.Record) throws {
        var fields: [String] = [
            "\"step\":\(record.step)", String(format: "\"seconds\":%.1f", record.seconds),
            "\"kind\":\"\(record.isEvaluation ? "evaluation" : "training")\"",
        ]
        for metric in record.metrics {
            fields.append("\"\(metric.name)\":" + String(format: "%.6g", metric.value))
        }
        let line = "{" + fields.joined(separator: ",") + "}\n"
        guard let handle = fopen(metricsPath, "a") else {
            throw InputError("\(metricsPath): cannot be written; give another folder with --out.")
        }
        defer { fclose(handle) }
        fputs(line, handle)
    }
}
