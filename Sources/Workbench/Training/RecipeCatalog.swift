// Finds recipes in the folders for them. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// The recipes below some folders: every TOML file with a `system`.
enum RecipeCatalog {
    private static let limit = 500

    /// Recipes in the order of folders, then of paths; of two with one name the first counts.
    ///
    /// A file that cannot be read stays in the list with its reason; what is no recipe (model cards,
    /// files without `system` or `steps`) is passed over.
    static func recipes(in folders: [String]) -> [RecipeEntry] {
        var found: [RecipeEntry] = []
        var names: Set<String> = []
        for folder in folders {
            let paths =
                (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String })
                .map { $0.filter { $0.hasSuffix(".toml") }.sorted() } ?? []
            for path in paths.prefix(limit) {
                guard let entry = entry(folder + "/" + path, shortName: path),
                    names.insert(entry.name).inserted
                else { continue }
                found.append(entry)
            }
        }
        return found
    }

    private static func entry(_ path: String, shortName: String) -> RecipeEntry? {
        let stem = String(shortName.dropLast(".toml".count))
        // What nobody would read on a screen is not kept for it.
        let text = FileManager.default.contents(atPath: path)?.prefix(16 << 10) ?? Data()
        do throws(TOMLError) {
            let table = try TOMLTable(contentsOfFile: path)
            guard table["system"] != nil, table["steps"] != nil else { return nil }
            let system = try table.string("system")
            let isKnown = Registry.trainingSystems.contains { $0.name == system }
            return RecipeEntry(
                path: path, name: try table.stringIfPresent("name") ?? stem, system: system,
                summary: try table.stringIfPresent("summary")
                    ?? Registry.trainingSystems.first { $0.name == system }?.summary ?? "",
                steps: try table.intIfPresent("steps", in: 0...(1 << 30)) ?? 0,
                dataKind: try table.tableIfPresent("data")?.stringIfPresent("kind") ?? "",
                problem: isKnown
                    ? nil
                    : "system = \"\(system)\" is not one that can be trained ("
                        + Registry.trainingSystems.map(\.name).joined(separator: ", ") + ").",
                text: String(decoding: text, as: UTF8.self))
        } catch {
            return RecipeEntry(
                path: path, name: stem, problem: "\(error)",
                text: String(decoding: text, as: UTF8.self))
        }
    }
}
