// The direction of dependencies, held by reading import lines. SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@Suite struct ArchitectureTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// What each module may import of our own and of the C targets.
    private static let allowed: [String: Set<String>] = [
        "Core": ["CBLAS", "CKernels", "CCodecs", "CCUDA"],
        "Models": ["Core"],
        "Views": ["Core", "CTerm", "CSixel"],
        "Workbench": ["Core", "Models", "Views", "ArgumentParser"],
    ]
    private static let system: Set<String> = ["Foundation", "Dispatch", "Glibc", "Synchronization"]

    private static func swiftFiles(_ folder: URL) -> [URL] {
        let walker = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        return (walker?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "swift" }
    }

    @Test(arguments: Self.allowed.keys.sorted())
    func importsPointOneWay(module: String) throws {
        let folder = Self.root.appendingPathComponent("Sources/\(module)")
        let files = Self.swiftFiles(folder)
        #expect(!files.isEmpty)
        let allowed = (Self.allowed[module] ?? []).union(Self.system)
        for file in files {
            let text = try String(contentsOf: file, encoding: .utf8)
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ")
                guard let at = words.firstIndex(of: "import"), at < 2, words.count > at + 1,
                    words[..<at].allSatisfy({
                        ["public", "package", "internal"].contains($0) || $0.hasPrefix("@")
                    })
                else { continue }
                // `import struct Module.Name` names its kind first.
                let name = words.last.map { $0.split(separator: ".")[0] } ?? ""
                #expect(
                    allowed.contains(String(name)),
                    "\(file.lastPathComponent) of \(module) imports \(name)")
            }
        }
    }

    @Test func cursesStaysBehindTheTerminalTarget() throws {
        for target in ["CKernels", "CCodecs", "CCUDA", "CTerm/include"] {
            let folder = Self.root.appendingPathComponent("Sources/\(target)")
            let walker = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
            for case let file as URL in walker?.allObjects ?? []
            where ["c", "h"].contains(file.pathExtension) {
                let text = try String(contentsOf: file, encoding: .utf8)
                #expect(!text.contains("curses.h"), "\(file.lastPathComponent) includes curses")
            }
        }
    }

    @Test func noFileIsLargerThanTheAlarm() throws {
        for module in Self.allowed.keys {
            for file in Self.swiftFiles(Self.root.appendingPathComponent("Sources/\(module)")) {
                let lines = try String(contentsOf: file, encoding: .utf8).split(
                    separator: "\n", omittingEmptySubsequences: false)
                #expect(lines.count <= 600, "\(file.lastPathComponent) has \(lines.count) lines")
            }
        }
    }
}
