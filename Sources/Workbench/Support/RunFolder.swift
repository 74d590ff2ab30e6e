// The folder of a training run: checkpoint, metrics, weights. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Reads and writes what a training run leaves behind.
struct RunFolder {
    /// The folder.
    let path: String
    /// What it shares with those who watch the run.
    var files: TrainingFolder { TrainingFolder(path) }

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
    func append(_ record: TrainingRecord) throws {
        guard let handle = fopen(metricsPath, "a") else {
            throw InputError("\(metricsPath): cannot be written; give another folder with --out.")
        }
        let isWritten = fputs(record.line, handle) >= 0
        // What the disk has no room for is known only when the file is closed.
        guard fclose(handle) == 0, isWritten else {
            throw InputError(
                "\(metricsPath): cannot be written (\(String(cString: strerror(errno)))); make room, "
                    + "then go on with --resume.")
        }
    }

    /// Writes sample pictures as one sheet.
    ///
    /// - Returns: its path from the folder.
    func write(_ pictures: TrainingPictures, step: Int) throws -> String? {
        guard !pictures.images.isEmpty else { return nil }
        try FileManager.default.createDirectory(
            atPath: files.samplesPath, withIntermediateDirectories: true)
        let name = "samples/" + String(format: "%08d", step) + ".png"
        // Small pictures are enlarged by whole factors, so that a viewer shows their pixels.
        let scale = max(1, 56 / max(1, pictures.images[0].width))
        try PNG.write(
            ImageGrid(columns: pictures.columns).sheet(pictures.images, scale: scale),
            to: path + "/" + name, texts: [PNG.Text(key: "Title", value: pictures.title)])
        return name
    }
}
