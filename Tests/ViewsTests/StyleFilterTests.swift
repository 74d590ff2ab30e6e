// Colour commands are dropped only where they change nothing. SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Views

@Suite("Style filter")
struct StyleFilterTests {
    private func compact(_ text: String) -> String {
        String(decoding: StyleFilter.compact(Array(text.utf8)), as: UTF8.self)
    }

    @Test(
        "What stands already is not sent again",
        arguments: [
            (
                "\u{1B}[38;5;1m\u{1B}[48;5;2ma\u{1B}[38;5;3m\u{1B}[48;5;2mb",
                "\u{1B}[38;5;1m\u{1B}[48;5;2ma\u{1B}[38;5;3mb"
            ),
            ("\u{1B}[31ma\u{1B}[5;7H\u{1B}[31mb", "\u{1B}[31ma\u{1B}[5;7Hb"),
            ("\u{1B}[38;2;1;2;3ma\u{1B}[38;2;1;2;3mb", "\u{1B}[38;2;1;2;3mab"),
            // An attribute leaves the colours; a reset does not.
            ("\u{1B}[31m\u{1B}[1ma\u{1B}[31mb", "\u{1B}[31m\u{1B}[1mab"),
            ("\u{1B}[31ma\u{1B}[0m\u{1B}[31mb", "\u{1B}[31ma\u{1B}[0m\u{1B}[31mb"),
            ("\u{1B}[31ma\u{1B}[m\u{1B}[31mb", "\u{1B}[31ma\u{1B}[m\u{1B}[31mb"),
            ("\u{1B}[31ma\u{1B}[39;49m\u{1B}[31mb", "\u{1B}[31ma\u{1B}[39;49m\u{1B}[31mb"),
            ("\u{1B}[0;1;31ma\u{1B}[31mb", "\u{1B}[0;1;31ma\u{1B}[31mb"),
            ("text \u{1B}[", "text \u{1B}["), ("\u{1B}(0q\u{1B}(B", "\u{1B}(0q\u{1B}(B"),
        ])
    func drops(text: String, expected: String) {
        #expect(compact(text) == expected)
    }
}
