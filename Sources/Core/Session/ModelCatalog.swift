// Finds model cards on disk and checks them against their files.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The models installed, by their cards `<folder>/<system>/<name>.json`.
///
/// A broken card never hides the others: it becomes an entry of `problems`. Of two cards with one
/// name the one of the earlier folder counts.
public struct ModelCatalog: Sendable {
    /// Usable cards, by name.
    public let entries: [ModelEntry]
    /// What was passed over and why.
    public let problems: [CatalogError]
    /// The folders looked in, in order.
    public let folders: [String]

    /// Largest card read, in bytes.
    private static let cardLimit = 4 << 20

    /// Looks for cards in folders and one level of folders below them.
    public init(folders: [String]) {
        var entries: [ModelEntry] = []
        var problems: [CatalogError] = []
        var paths: [String: String] = [:]
        for path in folders.flatMap(Self.cardPaths) {
            do throws(CatalogError) {
                let entry = try Self.read(path)
                if let first = paths[entry.card.name] {
                    problems.append(
                        .shadowed(name: entry.card.name, path: path, by: first))
                } else {
                    paths[entry.card.name] = path
                    entries.append(entry)
                }
            } catch { problems.append(error) }
        }
        self.entries = entries.sorted { $0.card.name < $1.card.name }
        self.problems = problems
        self.folders = folders
    }

    /// The model of a name.
    ///
    /// - Throws: ``CatalogError/unknownModel(name:nearest:known:places:)``, or what is wrong with
    ///   the card of that name.
    public func entry(named name: String) throws(CatalogError) -> ModelEntry {
        if let entry = entries.first(where: { $0.card.name == name }) { return entry }
        for case .invalidCard(let path, let reason) in problems
        where path.hasSuffix("/\(name).json") {
            throw .invalidCard(path: path, reason: reason)
        }
        let known = entries.map(\.card.name)
        throw .unknownModel(
            name: name, nearest: nearestName(to: name, among: known), known: known,
            places: folders)
    }

    /// Reads and checks one card.
    ///
    /// - Throws: ``CatalogError/invalidCard(path:reason:)``.
    public static func read(_ path: String) throws(CatalogError) -> ModelEntry {
        let card: ModelCard
        do {
            let file = try MappedFile(path: path)
            guard file.byteCount <= cardLimit else {
                throw CatalogError.invalidCard(path: path, reason: "it is too large for a card")
            }
            card = try JSONDecoder().decode(
                ModelCard.self, from: Data(file.copy(0..<file.byteCount)))
        } catch let error as DecodingError {
            throw .invalidCard(path: path, reason: error.sentence)
        } catch let error as CatalogError {
            throw error
        } catch { throw .invalidCard(path: path, reason: "\(error)") }
        if let reason = problem(of: card, path: path) {
            throw .invalidCard(path: path, reason: reason)
        }
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return ModelEntry(card: card, folder: folder)
    }

    /// Checks that a model's files are there and have the right size. Cheap.
    ///
    /// - Throws: ``CatalogError``.
    public static func check(_ entry: ModelEntry) throws(CatalogError) {
        for file in entry.card.files {
            let path = entry.folder + "/" + file.path
            var status = stat()
            guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                throw .fileMissing(model: entry.card.name, path: path)
            }
            guard Int(status.st_size) == file.bytes else {
                throw .wrongSize(
                    model: entry.card.name, path: path, expected: file.bytes,
                    found: Int(status.st_size))
            }
        }
    }

    /// Checks sizes and checksums of a model's files.
    ///
    /// - Throws: ``CatalogError``, ``FileFormatError``, `CancellationError`.
    public static func verify(
        _ entry: ModelEntry, cancellation: Cancellation? = nil
    ) throws {
        try check(entry)
        for file in entry.card.files {
            let path = entry.folder + "/" + file.path
            let found = try SHA256.hexDigest(ofFile: path, cancellation: cancellation)
            guard found == file.sha256 else {
                throw CatalogError.wrongChecksum(
                    model: entry.card.name, path: path, expected: file.sha256, found: found)
            }
        }
    }

    /// Writes a card beside its files, atomically, in the form that is read back.
    ///
    /// - Throws: ``FileFormatError``, ``CatalogError`` for a card that would not be accepted.
    public static func write(_ card: ModelCard, to path: String) throws {
        if let reason = problem(of: card, path: path) {
            throw CatalogError.invalidCard(path: path, reason: reason)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(card), as: UTF8.self)
        try AtomicWrite.write(text + "\n", to: path)
    }

    private static func cardPaths(in folder: String) -> [String] {
        func cards(_ folder: String, _ names: [String]) -> [String] {
            // Answers for the self-test lie beside the cards.
            names.filter {
                $0.hasSuffix(".json") && !$0.hasSuffix(".selftest.json") && !$0.hasPrefix(".")
            }.map { folder + "/" + $0 }
        }
        let files = FileManager.default
        let names = ((try? files.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        return cards(folder, names)
            + names.filter { !$0.contains(".") }.flatMap { name in
                let inner = folder + "/" + name
                return cards(
                    inner, ((try? files.contentsOfDirectory(atPath: inner)) ?? []).sorted())
            }
    }

    private static func problem(of card: ModelCard, path: String) -> String? {
        let stem = path.split(separator: "/").last.map { String($0.dropLast(".json".count)) } ?? ""
        if card.format != Version.cardFormat {
            return "its format is \(card.format), this program reads \(Version.cardFormat)"
        }
        if card.name != stem { return "its name is \"\(card.name)\", its file is \(stem).json" }
        if card.system.isEmpty { return "the field system is empty" }
        if card.files.isEmpty { return "it names no files" }
        for file in card.files {
            let parts = file.path.split(separator: "/", omittingEmptySubsequences: false)
            if file.path.hasPrefix("/") || parts.contains("..") || parts.contains("") {
                return "the file path \"\(file.path)\" leaves the card's folder"
            }
            let digits = file.sha256.utf8
            let isHex = digits.allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }
            if digits.count != 64 || !isHex {
                return "the sha256 of \(file.path) is not 64 lower-case hexadecimal digits"
            }
            if file.bytes < 0 { return "the size of \(file.path) is negative" }
        }
        return geometryProblem(of: card)
    }

    private static func geometryProblem(of card: ModelCard) -> String? {
        if let side = card.imageSize, !(1...65_536 ~= side) { return "imageSize is \(side)" }
        if let classes = card.classes, classes.isEmpty { return "the list of classes is empty" }
        guard let patchNums = card.patchNums else { return nil }
        guard !patchNums.isEmpty, patchNums.allSatisfy({ 1...1024 ~= $0 }),
            zip(patchNums, patchNums.dropFirst()).allSatisfy({ $0 < $1 })
        else { return "patchNums \(patchNums) do not grow from at least 1" }
        if let rows = card.defaults.schedule {
            do {
                _ = try SamplingSchedule(patchNums: patchNums, rows: rows)
            } catch { return "its default schedule: \(error)" }
        }
        return nil
    }
}
