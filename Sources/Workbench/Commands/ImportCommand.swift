// `workbench import`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation
import Models

/// Takes public checkpoints into the local store.
struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Take checkpoints that you downloaded into the local store.",
        discussion: """
            Give the tokenizer and the transformers that belong to it. Each file is checked tensor \
            by tensor and kept as it is (a link where the file system allows, a copy elsewhere); a \
            card with sizes, licence and checksums is written beside it.

            Example:
              workbench import vae_ch160v4096z32.pth hmar-d16.pth var_d16.pth --name hmar-d16
            """)

    @Argument(help: "safetensors or .pth files.")
    var files: [String]

    @Option(help: "The name the model gets.")
    var name: String

    @Option(help: ArgumentHelp("A text file with one class name a line.", valueName: "file"))
    var classes: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard !name.isEmpty,
            name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }),
            name.first != "."
        else {
            throw ValidationError(
                "--name \(name) cannot be a file's name; use letters, digits, -, _ and dots.")
        }
    }

    func run() throws {
        let interrupt = Interrupt()
        var parts: [CheckpointKind: CheckpointPart] = [:]
        for file in files {
            let part = try CheckpointPart(path: file)
            guard let role = part.role else {
                throw InputError(
                    "\(file): this is \(part.kind.rawValue), a stage of training; "
                        + "give the assembled HMAR, a VAR, or the tokenizer.")
            }
            if parts[part.kind] != nil { throw InputError("\(file): a second \(role) was given.") }
            parts[part.kind] = part
        }
        guard let tokenizer = parts[.tokenizer] else {
            throw InputError(
                "No tokenizer was given; add the VQ-VAE that belongs to the transformer.")
        }
        guard let transformer = parts[.hmar] ?? parts[.var],
            let geometry = transformer.transformer
        else { throw InputError("No transformer was given; add an HMAR or VAR checkpoint.") }
        let scale = try VQVAEConfiguration(
            archive: tokenizer.archive, patchNums: geometry.patchNums)
        let folder = try storeFolder()
        var cardFiles: [ModelCard.File] = []
        for part in [tokenizer, parts[.hmar], parts[.var]].compactMap({ $0 }) {
            try interrupt.cancellation.check()
            cardFiles.append(try keep(part, in: folder, cancellation: interrupt.cancellation))
        }
        let card = ModelCard(
            name: name, system: "hmar",
            summary: "imported: depth \(geometry.depth), \(scale.imageSize)×\(scale.imageSize)",
            imageSize: scale.imageSize, patchNums: geometry.patchNums,
            classes: try classNames(geometry.classCount),
            parameters: Dictionary(
                uniqueKeysWithValues: parts.values.compactMap { part in
                    part.role.map { ($0, part.archive.elementCount) }
                }), data: "as published with the checkpoint",
            dataLicence: "as published with the checkpoint", licence: licence(parts),
            command: "workbench import", files: cardFiles)
        let path = "\(folder)/\(name).json"
        try ModelCatalog.write(card, to: path)
        Output.line("\(path)\nLicence: \(card.licence)")
    }

    private func licence(_ parts: [CheckpointKind: CheckpointPart]) -> String {
        // The published VAR and tokenizer weights are MIT; NVIDIA's HMAR weights are not.
        parts[.hmar] != nil
            ? "NVIDIA's HMAR weights: NVIDIA non-commercial; VAR's tokenizer: MIT; others as published"
            : "VAR's weights and tokenizer: MIT; others as published"
    }

    private func storeFolder() throws -> String {
        let environment = ProcessInfo.processInfo.environment
        let data =
            environment["XDG_DATA_HOME"].flatMap { $0.isEmpty ? nil : $0 }
            ?? (environment["HOME"] ?? ".") + "/.local/share"
        let folder = (common.modelsFolder ?? data + "/workbench/weights") + "/hmar"
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        } catch { throw InputError("\(folder): this folder cannot be made; set --models.") }
        return folder
    }

    private func keep(
        _ part: CheckpointPart, in folder: String, cancellation: Cancellation
    ) throws -> ModelCard.File {
        let role = part.role ?? part.kind.rawValue
        let suffix = part.archive.format == .pytorch ? "pth" : "safetensors"
        let file = "\(name)-\(role).\(suffix)"
        let target = "\(folder)/\(file)"
        if Self.isSameFile(part.archive.path, target) {
            // It is in the store already.
        } else if unlink(target) != 0 && errno != ENOENT {
            throw InputError("\(target): cannot be replaced; set --models.")
        } else if linkat(AT_FDCWD, part.archive.path, AT_FDCWD, target, AT_SYMLINK_FOLLOW) != 0 {
            // Caches of downloads hold links to files; the file itself is what is kept.
            do {
                let source = URL(fileURLWithPath: part.archive.path).resolvingSymlinksInPath()
                try FileManager.default.copyItem(atPath: source.path, toPath: target)
            } catch {
                throw InputError(
                    "\(target): cannot be written (\(error.localizedDescription)); "
                        + "free some space or set --models.")
            }
        }
        return ModelCard.File(
            role: role, path: file,
            sha256: try SHA256.hexDigest(ofFile: target, cancellation: cancellation),
            bytes: try MappedFile(path: target).byteCount)
    }

    private static func isSameFile(_ a: String, _ b: String) -> Bool {
        var (first, second) = (stat(), stat())
        return stat(a, &first) == 0 && stat(b, &second) == 0
            && first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }

    private func classNames(_ count: Int) throws -> [String] {
        guard let classes else { return (0..<count).map { "class \($0)" } }
        let file = try MappedFile(path: classes)
        let names = String(decoding: file.copy(0..<file.byteCount), as: UTF8.self)
            .split(separator: "\n").map(String.init)
        guard names.count == count else {
            throw InputError(
                "\(classes): \(names.count) names, but the model has \(count) classes.")
        }
        return names
    }
}

/// A checkpoint with its kind and, for a transformer, its sizes.
struct CheckpointPart {
    let archive: TensorArchive
    let kind: CheckpointKind
    let transformer: TransformerConfiguration?

    /// - Throws: `CheckpointError`, `FileFormatError`.
    init(path: String) throws {
        archive = try TensorArchive.open(path: path)
        kind = try CheckpointKind.infer(archive)
        transformer =
            kind == .tokenizer ? nil : try TransformerConfiguration(archive: archive, kind: kind)
        _ = try CheckpointKind.check(archive)
    }

    /// The card's role; nil for stages of training.
    var role: String? {
        switch kind {
        case .tokenizer: "tokenizer"
        case .hmar: "hmar"
        case .var: "var"
        case .nextScale, .maskedPrediction: nil
        }
    }
}
