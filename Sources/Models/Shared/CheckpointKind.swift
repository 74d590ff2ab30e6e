// What a checkpoint is, told by its names.
// SPDX-License-Identifier: Apache-2.0
import Core

/// The kinds of checkpoint of the image systems.
public enum CheckpointKind: String, Sendable, CaseIterable, Codable {
    /// The multi-scale VQ-VAE.
    case tokenizer
    /// VAR: block-causal.
    case `var`
    /// HMAR after phase 1: VAR's names, block-diagonal.
    case nextScale = "hmar-phase-1"
    /// HMAR after phase 2: with a mask embedding.
    case maskedPrediction = "hmar-phase-2"
    /// HMAR assembled from both phases.
    case hmar

    /// For sentences.
    var title: String {
        switch self {
        case .tokenizer: "a tokenizer (VQ-VAE)"
        case .var: "a VAR transformer"
        case .nextScale: "an HMAR phase-1 transformer"
        case .maskedPrediction: "an HMAR phase-2 transformer"
        case .hmar: "an assembled HMAR"
        }
    }

    /// Tells the kind of an archive whose prefixes were taken off.
    ///
    /// VAR and phase 1 have the same names: `attn_bias_for_masking` tells them apart, and VAR is
    /// taken where a file has none.
    /// - Throws: `CheckpointError.unknownKind`.
    public static func infer(_ archive: TensorArchive) throws -> CheckpointKind {
        if archive["quantize.embedding.weight"] != nil || archive["encoder.conv_in.weight"] != nil {
            return .tokenizer
        }
        let names = archive.names
        if names.contains(where: { $0.hasPrefix("mask_blocks.") || $0.hasPrefix("ns_blocks.") }) {
            return .hmar
        }
        if names.contains(where: { $0.hasPrefix("blocks.") }) {
            if archive["mask_embed.weight"] != nil { return .maskedPrediction }
            return storedAttention(archive) == .blockDiagonal ? .nextScale : .var
        }
        throw CheckpointError.unknownKind(
            file: archive.path, tensorCount: names.count, firstNames: Array(names.prefix(4)),
            hint: "known are the VAR tokenizer, VAR, and HMAR (phase 1, phase 2, assembled)")
    }

    /// The attention that a file's mask (or own metadata) tells; nil where it has neither.
    static func storedAttention(_ archive: TensorArchive) -> ScaleAttention? {
        guard let record = archive["attn_bias_for_masking"], record.shape.count == 4,
            record.shape[2] > 1, record.shape[3] == record.shape[2]
        else { return archive.metadata["attention"].flatMap(ScaleAttention.init(rawValue:)) }
        // Row 1 belongs to the second map; column 0 is the first map.
        let bias = Tensor(record: record)
        let cell = bias.narrowed(axis: 2, start: 1, length: 1).narrowed(
            axis: 3, start: 0, length: 1)
        return cell.floats()[0] < -1 ? .blockDiagonal : .blockCausal
    }
}

extension TensorArchive {
    /// The transformer of a training checkpoint, or the archive itself.
    func transformerScope() -> TensorArchive { firstScope(["trainer.transformer_wo_ddp."]) }

    /// The tokenizer of a training checkpoint, or the archive itself.
    func tokenizerScope() -> TensorArchive { firstScope(["trainer.vae_local.", "vae_local."]) }

    private func firstScope(_ prefixes: [String]) -> TensorArchive {
        for prefix in prefixes {
            let inside = scoped(to: prefix)
            if !inside.records.isEmpty { return inside }
        }
        return self
    }

    /// The number of direct children `prefix.0`, `prefix.1`, …
    func childCount(_ prefix: String) -> Int {
        let start = prefix + "."
        return records.reduce(0) { count, record in
            guard record.name.hasPrefix(start),
                let index = Int(record.name.dropFirst(start.count).prefix { $0 != "." })
            else { return count }
            return max(count, index < 1024 ? index + 1 : count)
        }
    }

    /// `patch_nums` from the file's metadata, also inside a `config` object.
    func storedPatchNums() -> [Int]? {
        func list(_ text: String) -> [Int]? {
            guard let open = text.firstIndex(of: "["), let close = text[open...].firstIndex(of: "]")
            else { return nil }
            let parts = text[text.index(after: open)..<close].split(separator: ",")
            let numbers = parts.compactMap { Int($0.filter { $0 != " " }) }
            return numbers.count == parts.count && !numbers.isEmpty ? numbers : nil
        }
        if let text = metadata["patch_nums"] { return list(text) }
        guard let config = metadata["config"], let range = config.firstRange(of: "\"patch_nums\"")
        else { return nil }
        return list(String(config[range.upperBound...]))
    }

    /// A tensor's shape, or a refusal that names what is missing.
    func requiredShape(_ name: String, rank: Int, model: String) throws -> [Int] {
        guard let record = self[name] else {
            throw CheckpointError.mismatch(
                file: path, model: model,
                missing: [.init(name: name, shape: [Int](repeating: -1, count: rank))],
                unexpected: [], misfits: [], hint: "the model's sizes are read from this tensor")
        }
        guard record.shape.count == rank, record.shape.allSatisfy({ $0 > 0 }) else {
            throw CheckpointError.inconsistent(
                file: path, tensor: name,
                reason: "it has shape \(record.shape), not \(rank) "
                    + "dimensions of 1 or more", hint: "get the file again")
        }
        return record.shape
    }
}

extension ParameterStore {
    /// Refuses a checkpoint that is not exactly the model that took it.
    ///
    /// - Throws: `CheckpointError.mismatch`.
    func refuseMismatch(
        file: String, model: String, hint: String? = nil,
        ignoring: (String) -> Bool = { _ in false }
    ) throws {
        let mismatch = finish(ignoring: ignoring)
        guard !mismatch.isEmpty else { return }
        throw CheckpointError.mismatch(
            file: file, model: model,
            missing: mismatch.missing.map { .init(name: $0.name, shape: $0.shape) },
            unexpected: mismatch.unexpected,
            misfits: mismatch.misshapen.map {
                .init(name: $0.name, expectedShape: $0.expected, foundShape: $0.found)
            }
                + mismatch.mistyped.map {
                    .init(
                        name: $0.name, expectedShape: $0.shape, foundShape: $0.shape,
                        expectedDType: .float32, foundDType: $0.found)
                }, hint: hint)
    }
}
