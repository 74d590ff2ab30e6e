// Texts compared with stored ones. SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Expects a text to equal the fixture of that name.
///
/// `WORKBENCH_RECORD=1` writes the fixture instead: look at the difference before committing it.
public func expectGolden(
    _ text: String, _ name: String, from file: String = #filePath,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let path = Fixture.path(name, from: file)
    if ProcessInfo.processInfo.environment["WORKBENCH_RECORD"] == "1" {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        try? FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        try? Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return
    }
    guard let data = FileManager.default.contents(atPath: path) else {
        Issue.record(
            "There is no \(name); WORKBENCH_RECORD=1 writes it.", sourceLocation: sourceLocation)
        return
    }
    let stored = String(decoding: data, as: UTF8.self)
    guard stored != text else { return }
    let a = stored.split(separator: "\n", omittingEmptySubsequences: false)
    let b = text.split(separator: "\n", omittingEmptySubsequences: false)
    let line = zip(a, b).enumerated().first { $0.element.0 != $0.element.1 }
    let where_ = line.map { "line \($0.offset + 1):\n\($0.element.0)\n\($0.element.1)" }
    Issue.record(
        "\(name) differs at \(where_ ?? "its end")", sourceLocation: sourceLocation)
}
