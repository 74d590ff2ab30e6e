// Reading TOML: values, table rules, typed access, and errors by line and column.
// SPDX-License-Identifier: Apache-2.0

import Core
import Foundation
import Testing

@Suite("TOML")
struct TOMLTests {
    private func content(_ text: String) throws -> TOMLValue.Content? {
        try TOMLTable(parsing: "v = \(text)")["v"]?.content
    }

    @Test(
        "Numbers in every written form",
        arguments: [
            ("0", 0), ("-17", -17), ("+9", 9), ("1_000_000", 1_000_000),
            ("0xDEAD_beef", 0xDEAD_BEEF),
            ("0o755", 0o755), ("0b1101", 13), ("-9223372036854775808", Int.min),
        ])
    func integers(text: String, value: Int) throws {
        #expect(try content(text) == .integer(value))
    }

    @Test(
        "Floats in every written form",
        arguments: [
            ("1.0", 1.0), ("-0.01", -0.01), ("5e+22", 5e22), ("1E06", 1e6),
            ("6.626e-34", 6.626e-34),
            ("224_617.445_991", 224_617.445991), ("inf", Double.infinity),
            ("-inf", -Double.infinity),
        ])
    func floats(text: String, value: Double) throws {
        #expect(try content(text) == .float(value))
    }

    @Test("Strings: escapes, literal, both multi-line forms")
    func strings() throws {
        #expect(try content(#""a\t\"b\" \\ \u00e9\U0001F600""#) == .string("a\t\"b\" \\ é😀"))
        #expect(try content(#"'C:\no\escape'"#) == .string(#"C:\no\escape"#))
        #expect(try content("\"\"\"\nline 1\n\"two\"\"\"\"") == .string("line 1\n\"two\""))
        #expect(try content("\"\"\"a \\\n   b\"\"\"") == .string("a b"))
        #expect(try content("'''it''s'''") == .string("it''s"))
        #expect(try content("\"\"") == .string(""))
        #expect(try content("''''''") == .string(""))
    }

    @Test("Lists nest, span lines, and may end with a comma")
    func lists() throws {
        let table = try TOMLTable(parsing: "v = [ [1, 2], # first\n  [3.5,],\n  { a = 1 } ]")
        let rows = try table.array("v")
        #expect(rows.count == 3)
        #expect(
            rows[0].content == .array([1, 2].map { TOMLValue(.integer($0), at: rows[0].position) })
                || rows[0].kind == .array)
        #expect(rows[1].position == TOMLPosition(line: 2, column: 3))
        #expect(try TOMLTable(parsing: "v = [1, 2, 3]").ints("v") == [1, 2, 3])
        #expect(try TOMLTable(parsing: "v = [1, 2.5]").doubles("v") == [1, 2.5])
    }

    @Test("Headers, dotted keys, inline tables and lists of tables")
    func tables() throws {
        let text = """
            title = "x"
            a.b.c = 1
            "ui.text" = { fg = "red", modifiers = ["bold"] }
            [optimizer]
            rate = 3e-4
            [optimizer.schedule]
            kind = 'cosine'
            [[stage]]
            steps = 10
            [[stage]]
            steps = 20
            [stage.extra]
            on = true
            """
        let table = try TOMLTable(parsing: text)
        #expect(table.keys == ["title", "a", "ui.text", "optimizer", "stage"])
        #expect(try table.table("a").table("b").int("c") == 1)
        #expect(try table.table("ui.text").strings("modifiers") == ["bold"])
        #expect(try table.table("optimizer").table("schedule").string("kind") == "cosine")
        #expect(try table.table("optimizer").table("schedule").path == "optimizer.schedule")
        let stages = try table.tables("stage")
        #expect(try stages.map { s in try s.int("steps") } == [10, 20])
        #expect(try stages[1].table("extra").bool("on"))
        #expect(table["optimizer"]?.position == TOMLPosition(line: 4, column: 1))
        #expect(table.position(of: "ui.text") == TOMLPosition(line: 3, column: 1))
    }

    @Test("Byte-order mark, CRLF, comments and blank lines")
    func blanks() throws {
        let table = try TOMLTable(parsing: "\u{FEFF}# head\r\n\r\n a = 1 # one\r\nb=2")
        #expect(try table.int("a") == 1)
        #expect(table["b"]?.position == TOMLPosition(line: 4, column: 3))
        #expect(try TOMLTable(parsing: "").isEmpty)
    }

    static let broken: [(text: String, line: Int, column: Int, problem: TOMLError.Problem)] = [
        ("a = 1\nb = ", 2, 5, .expected("a value", found: "the end of the file")),
        ("a = 1 2", 1, 7, .expected("the end of the line", found: "\"2\"")),
        ("a 1", 1, 3, .expected("\"=\" after the key \"a\"", found: "\"1\"")),
        ("= 1", 1, 1, .expected("a key", found: "\"=\"")),
        ("é = 1", 1, 1, .expected("a key", found: "\"é\"")),
        ("a = 1\n\na = 2", 3, 1, .duplicateKey("a", firstLine: 1)),
        ("[t]\n[t]", 2, 2, .duplicateTable("t", firstLine: 1)),
        ("a.b = 1\na.b.c = 2", 2, 3, .notATable("b", firstLine: 1)),
        ("[a.b]\nx = 1\n[a]\nb.y = 2", 4, 1, .duplicateTable("b", firstLine: 1)),
        ("a = {x = 1}\n[a.b]", 2, 2, .notATable("a", firstLine: 1)),
        ("[[a]]\n[a]", 2, 2, .duplicateKey("a", firstLine: 1)),
        ("s = \"abc\n", 1, 5, .unterminatedString),
        ("s = '''abc\n", 1, 5, .unterminatedString),
        ("s = \"a\\qb\"", 1, 7, .badEscape("\\q")),
        ("s = \"\\uD800\"", 1, 6, .badEscape("\\uD800")),
        ("n = 01", 1, 5, .badNumber("01")),
        ("n = 1__0", 1, 5, .badNumber("1__0")),
        ("n = .5", 1, 5, .badNumber(".5")),
        ("n = 5.", 1, 5, .badNumber("5.")),
        ("n = yes", 1, 5, .badNumber("yes")),
        ("n = 9223372036854775808", 1, 5, .numberTooLarge("9223372036854775808")),
        ("d = 1979-05-27", 1, 5, .dateNotSupported),
        ("v = [1, 2", 1, 10, .expected("\",\" or \"]\" in the list", found: "the end of the file")),
        ("v = [1 2]", 1, 8, .expected("\",\" or \"]\" in the list", found: "\"2\"")),
        ("v = {a = 1,}", 1, 12, .expected("a key", found: "\"}\"")),
        (
            "v = {a = 1\n}", 1, 11,
            .expected("\",\" or \"}\" in the inline table", found: "the end of the line")
        ),
        ("é_ü = \"ä\" x", 1, 1, .expected("a key", found: "\"é\"")),
        ("u = \"ä\" x", 1, 9, .expected("the end of the line", found: "\"x\"")),
        ("# bad \u{1}\n", 1, 7, .forbiddenCharacter("U+0001")),
        (
            "[a\nb = 1", 1, 3,
            .expected("\"]\" after the table's name", found: "the end of the line")
        ),
    ]

    @Test("Broken texts name the problem, the line and the column", arguments: broken.indices)
    func errors(index: Int) {
        let row = Self.broken[index]
        let error = #expect(throws: TOMLError.self) { try TOMLTable(parsing: row.text, file: "f") }
        #expect(error?.problem == row.problem)
        #expect(error?.position == TOMLPosition(line: row.line, column: row.column))
        #expect(error?.description.hasPrefix("f:\(row.line):\(row.column): ") == true)
    }

    @Test("Deep nesting is refused, not followed")
    func nesting() {
        let text = "v = " + String(repeating: "[", count: 100_000)
        let error = #expect(throws: TOMLError.self) { try TOMLTable(parsing: text) }
        #expect(error?.problem == .nestedTooDeeply(limit: 64))
    }

    @Test("Any bytes give a table or an error, never a trap")
    func fuzz() {
        let alphabet = Array("ab\"'\\[]{}=.,#\n 01e-_x\té")
        var state: UInt64 = 42
        for _ in 0..<3000 {
            var text = ""
            for _ in 0..<24 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text.append(alphabet[Int(state >> 33) % alphabet.count])
            }
            _ = try? TOMLTable(parsing: text)
        }
    }

    @Test("Typed access: missing, wrong kind, range, unknown key")
    func access() throws {
        let table = try TOMLTable(
            parsing: "step = 5\nrate = \"fast\"\n[data]\nbatch = 1000", file: "recipe.toml")
        #expect(
            throws: TOMLError(
                .missingKey("steps", nearest: "step"), at: TOMLPosition(line: 1, column: 1),
                file: "recipe.toml")
        ) { try table.int("steps") }
        #expect(
            throws: TOMLError(
                .wrongKind("rate", expected: .float, found: .string),
                at: TOMLPosition(line: 2, column: 8), file: "recipe.toml")
        ) { try table.double("rate") }
        let range = #expect(throws: TOMLError.self) {
            try table.table("data").int("batch", in: 1...512)
        }
        #expect(
            range?.description
                == "recipe.toml:4:9: \"data.batch\" must be between 1 and 512, but it is 1000.")
        #expect(try table.int("absent", default: 7) == 7)
        #expect(try table.doubleIfPresent("absent") == nil)
        #expect(try table.double("step") == 5)
        let unknown = table.unknownKeys(known: ["steps", "rate", "data"])
        #expect(unknown.map(\.path) == ["step"])
        #expect(unknown.first?.nearest == "steps")
        #expect(throws: TOMLError.self) { try table.requireOnly(keys: ["step", "rate"]) }
    }

    @Test("Files: absent and not UTF-8")
    func files() throws {
        let absent = #expect(throws: TOMLError.self) {
            try TOMLTable(contentsOfFile: "/nonexistent/theme.toml")
        }
        #expect(absent?.description.contains("no such file") == true)
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("toml-\(UUID().uuidString).toml")
        defer { try? FileManager.default.removeItem(at: url) }
        try Data([0x61, 0x3D, 0x31, 0x0A, 0x62, 0xFF]).write(to: url)
        let bad = #expect(throws: TOMLError.self) { try TOMLTable(contentsOfFile: url.path) }
        #expect(bad?.problem == .notUTF8)
        #expect(bad?.position == TOMLPosition(line: 2, column: 2))
    }

    @Test(
        "The nearest name is close or none",
        arguments: [
            ("stpes", "steps"), ("learning-rate", "learning_rate"), ("Batch", "batch"),
            ("zzz", nil as String?),
        ])
    func nearest(typed: String, expected: String?) {
        #expect(nearestName(to: typed, among: ["steps", "batch", "learning_rate"]) == expected)
    }
}
