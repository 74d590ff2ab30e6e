// The decoder's tables, and that splits never change its events.
// SPDX-License-Identifier: Apache-2.0
import Testing
import Views

@Suite("Key decoder")
struct KeyDecoderTests {
    private func decode(_ text: String) -> [InputEvent] {
        var decoder = KeyDecoder()
        return decoder.feed(Array(text.utf8), time: 0)
    }

    private func decode(_ bytes: [UInt8]) -> [InputEvent] {
        var decoder = KeyDecoder()
        return decoder.feed(bytes, time: 0)
    }

    @Test(
        "Keys in all their forms",
        arguments: [
            ("a", "a"), ("A", "A"), (" ", "Space"), ("é", "é"), ("漢", "漢"), ("\r", "Enter"),
            ("\t", "Tab"), ("\u{7F}", "Backspace"), ("\u{01}", "C-a"), ("\u{0}", "C-Space"),
            ("\u{1C}", "C-\\"), ("\u{1B}x", "A-x"), ("\u{1B}é", "A-é"), ("\u{1B}\r", "A-Enter"),
            ("\u{1B}[A", "Up"), ("\u{1B}OA", "Up"), ("\u{1B}[1;5C", "C-Right"),
            ("\u{1B}[1;4D", "A-S-Left"), ("\u{1B}[H", "Home"), ("\u{1B}OF", "End"),
            ("\u{1B}[1~", "Home"), ("\u{1B}[7~", "Home"), ("\u{1B}[8~", "End"),
            ("\u{1B}[3;5~", "C-Del"), ("\u{1B}[5~", "PgUp"), ("\u{1B}[Z", "S-Tab"),
            ("\u{1B}OP", "F1"), ("\u{1B}[11~", "F1"), ("\u{1B}[[A", "F1"), ("\u{1B}[15~", "F5"),
            ("\u{1B}[24~", "F12"), ("\u{1B}[1;2R", "S-F3"), ("\u{1B}[27;5;13~", "C-Enter"),
            ("\u{1B}[13;5u", "C-Enter"), ("\u{1B}[97;5u", "C-a"), ("\u{1B}[97;2u", "A"),
            ("\u{1B}[63;2u", "?"), ("\u{1B}[27u", "Esc"), ("\u{1B}[97;1:1u", "a"),
        ])
    func keys(_ bytes: String, _ name: String) throws {
        let press = try #require(KeyPress(name))
        #expect(decode(bytes) == [.key(press)])
    }

    @Test("A lone escape is a key only after its delay")
    func loneEscape() {
        var decoder = KeyDecoder()
        #expect(decoder.feed([0x1B], time: 1).isEmpty)
        #expect(decoder.deadline == 1.025)
        #expect(decoder.tick(time: 1.02).isEmpty)
        #expect(decoder.tick(time: 1.03) == [.key(KeyPress(.escape))])
        #expect(decoder.deadline == nil)
        _ = decoder.feed([0x1B, 0x5B], time: 2)
        #expect(decoder.tick(time: 2.03) == [.key(KeyPress("[", .alt))])
    }

    @Test("Answers that come in two pieces are not typed while they are awaited")
    func cutAnswers() {
        let answers = [
            "\u{1B}[?63;1;2;4c", "\u{1B}]11;rgb:ffff/ffff/ffff\u{1B}\\", "\u{1B}[?1016;1$y",
            "\u{1B}P>|XTerm(379)\u{1B}\\", "\u{1B}[6;20;10t",
        ]
        for answer in answers.map({ Array($0.utf8) }) {
            for cut in 1..<answer.count {
                var decoder = KeyDecoder()
                decoder.awaitsReplies = true
                var events = decoder.feed(answer[..<cut], time: 0)
                events += decoder.tick(time: 0.2)
                events += decoder.feed(answer[cut...], time: 0.2)
                let isReply = events.allSatisfy { if case .reply = $0 { true } else { false } }
                #expect(isReply && events.count == 1, "\(events)")
            }
        }
        // A key it may be, a moment later.
        var decoder = KeyDecoder()
        decoder.awaitsReplies = true
        _ = decoder.feed([0x1B], time: 0)
        #expect(decoder.tick(time: 0.26) == [.key(KeyPress(.escape))])
    }

    @Test("Ctrl-C ends a paste whose end was lost")
    func interruptedPaste() throws {
        let interrupt = try #require(KeyPress("C-c"))
        #expect(
            decode("\u{1B}[200~abc\u{3}\u{3}") == [
                .paste("abc", isTruncated: false), .key(interrupt), .key(interrupt),
            ])
    }

    @Test("Kitty's key releases are no keys")
    func releases() { #expect(decode("\u{1B}[97;1:3u").isEmpty) }

    @Test("Mouse reports by cell")
    func mouseCells() {
        let cell = Point(x: 4, y: 2)
        #expect(decode("\u{1B}[<0;5;3M") == [.mouse(MouseEvent(.press, button: .left, cell: cell))])
        #expect(
            decode("\u{1B}[<2;5;3m") == [.mouse(MouseEvent(.release, button: .right, cell: cell))])
        #expect(
            decode("\u{1B}[<56;5;3M") == [
                .mouse(MouseEvent(.drag, button: .left, cell: cell, modifiers: [.alt, .control]))
            ])
        #expect(decode("\u{1B}[<35;5;3M") == [.mouse(MouseEvent(.motion, cell: cell))])
        #expect(decode("\u{1B}[<65;5;3M") == [.mouse(MouseEvent(.wheelDown, cell: cell))])
        #expect(decode("\u{1B}[<128;5;3M").isEmpty)
    }

    @Test("Mouse reports by pixel give the cell too, and never leave the text area")
    func mousePixels() {
        var decoder = KeyDecoder()
        decoder.mouse.pixelsPerCell = PixelSize(width: 10, height: 20)
        decoder.mouse.bounds = CellSize(columns: 80, rows: 24)
        let events = decoder.feed(Array("\u{1B}[<0;101;41M\u{1B}[<0;9999;9999M".utf8), time: 0)
        #expect(
            events == [
                .mouse(
                    MouseEvent(
                        .press, button: .left, cell: Point(x: 10, y: 2),
                        pixel: PixelPoint(x: 100, y: 40))),
                .mouse(
                    MouseEvent(
                        .press, button: .left, cell: Point(x: 79, y: 23),
                        pixel: PixelPoint(x: 799, y: 479))),
            ])
    }

    @Test("A paste is one event, and escape sequences in it are text")
    func paste() {
        #expect(
            decode("\u{1B}[200~a\r\nb\u{1B}[A\u{1B}[201~q") == [
                .paste("a\nb\u{1B}[A", isTruncated: false), .key(KeyPress("q")),
            ])
    }

    @Test("A paste is cut at its limit and its rest never becomes keys")
    func longPaste() {
        let limit = 1 << 20
        let text = "\u{1B}[200~" + String(repeating: "x", count: limit + 500) + "\u{1B}[201~"
        let events = decode(text)
        #expect(events == [.paste(String(repeating: "x", count: limit), isTruncated: true)])
    }

    @Test("Answers are taken apart")
    func replies() {
        #expect(decode("\u{1B}[?63;1;4c") == [.reply(.deviceAttributes([63, 1, 4]))])
        #expect(decode("\u{1B}[0n") == [.reply(.status(0))])
        #expect(decode("\u{1B}[6;19;9t") == [.reply(.window([6, 19, 9]))])
        #expect(decode("\u{1B}[?2;0;900;570S") == [.reply(.graphics([2, 0, 900, 570]))])
        #expect(decode("\u{1B}[?1016;2$y") == [.reply(.mode(1016, state: 2))])
        #expect(decode("\u{1B}[3;40R") == [.reply(.cursor(row: 3, column: 40))])
        #expect(decode("\u{1B}P>|XTerm(379)\u{1B}\\") == [.reply(.deviceControl(">|XTerm(379)"))])
        #expect(
            decode("\u{1B}]11;rgb:0/0/0\u{07}") == [.reply(.operatingSystem("11;rgb:0/0/0"))])
        #expect(decode("\u{1B}_Gi=31;OK\u{1B}\\") == [.reply(.application("Gi=31;OK"))])
        #expect(decode("\u{1B}[I\u{1B}[O") == [.focus(true), .focus(false)])
    }

    @Test("Broken input is dropped, and what follows is understood")
    func garbage() {
        let q = InputEvent.key(KeyPress("q"))
        #expect(decode("\u{1B}[1;2;3$zq") == [q])
        #expect(decode("\u{1B}[12\u{1B}[Aq") == [.key(KeyPress(.up)), q])
        #expect(decode("\u{1B}[1\u{03}") == [.key(KeyPress("c", .control))])
        #expect(decode("\u{1B}P" + String(repeating: "z", count: 5000) + "\u{1B}\\q") == [q])
        #expect(decode("\u{1B}[M !!q") == [q])
        let bad = InputEvent.key(KeyPress("\u{FFFD}"))
        #expect(decode([0xFF, 0x71]) == [bad, q])
        #expect(decode([0xE2, 0x82, 0x71]) == [bad, q])
        #expect(decode([0xED, 0xA0, 0x80, 0x71]) == [bad, q])
        #expect(decode("\u{1B}[999999999999999999999~q") == [q])
    }

    @Test("An unfinished sequence ends with time")
    func unfinished() {
        var decoder = KeyDecoder()
        _ = decoder.feed(Array("\u{1B}]11;rgb".utf8), time: 0)
        #expect(decoder.tick(time: 1).isEmpty)
        #expect(decoder.feed(Array("q".utf8), time: 1) == [.key(KeyPress("q"))])
        _ = decoder.feed(Array("\u{1B}[200~ab".utf8), time: 2)
        #expect(decoder.tick(time: 6) == [.paste("ab", isTruncated: false)])
    }

    @Test("Any split of any stream gives the same events", arguments: 0..<40)
    func splits(_ seed: Int) {
        var generator = SplitMix(state: UInt64(seed))
        let pieces = [
            "\u{1B}[A", "x", "é漢", "\u{1B}[<0;12;4M", "\u{1B}[200~pa\u{1B}[2ste\u{1B}[201~",
            "\u{1B}x",
            "\u{1B}P>|name\u{1B}\\", "\u{1B}[?1;2c", "\u{1B}[12;", "\u{1B}OQ", "\u{1B}]11;z\u{07}",
            "\u{1B}\u{1B}[B", "\u{1B}[27;5;97~", "\u{1B}[M", "\u{1B}_Gi", "\r\n\t",
        ]
        var bytes: [UInt8] = []
        for _ in 0..<60 {
            if generator.next() % 4 == 0 {
                for _ in 0..<generator.next() % 6 { bytes.append(UInt8(generator.next() % 256)) }
            } else {
                bytes += Array(pieces[Int(generator.next() % UInt64(pieces.count))].utf8)
            }
        }
        let whole = decode(bytes)
        var decoder = KeyDecoder()
        var split: [InputEvent] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let n = Int(generator.next() % 5) + 1
            split += decoder.feed(rest.prefix(n), time: 0)
            rest = rest.dropFirst(n)
        }
        #expect(split == whole)
    }

    @Test(
        "Key names read back as written",
        arguments: ["C-p", "S-Tab", "A-Left", "F1", "?", "Space", "C--", "-", "C-A-Del", "A-S-F12"])
    func names(_ name: String) throws {
        let press = try #require(KeyPress(name))
        #expect(press.description == name)
    }

    @Test("Forms that mean the same are one key; nonsense is none")
    func normalForms() {
        #expect(KeyPress("S-a") == KeyPress("A"))
        #expect(KeyPress("C-P") == KeyPress("C-p"))
        #expect(KeyPress("escape") == KeyPress("Esc"))
        #expect(KeyPress("") == nil)
        #expect(KeyPress("X-a") == nil)
        #expect(KeyPress("F99") == nil)
        #expect(KeyPress("a").typedTextIsA)
    }
}

extension KeyPress? {
    fileprivate var typedTextIsA: Bool { self?.typedText == "a" }
}

/// A small seeded generator, the same on every machine.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
