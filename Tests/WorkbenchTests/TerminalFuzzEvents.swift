// Random input for the fuzz test: everything that a terminal can send. SPDX-License-Identifier: Apache-2.0
import Core

/// Events by a seed, independent of what the program does with them.
struct TerminalFuzzEvents {
    enum Event: CustomStringConvertible {
        /// Bytes, sent in pieces with a moment in between.
        case bytes([[UInt8]], String)
        case resize(columns: Int, rows: Int)

        var description: String {
            switch self {
            case .bytes(_, let name): name
            case .resize(let columns, let rows): "resize \(columns)x\(rows)"
            }
        }
    }

    private var random: RandomGenerator
    /// For pauses alone, so that they do not change what comes.
    private var haste: RandomGenerator
    private(set) var columns: Int
    private(set) var rows: Int

    init(seed: UInt64, columns: Int, rows: Int) {
        random = RandomGenerator(seed: seed)
        haste = RandomGenerator(seed: ~seed)
        self.columns = columns
        self.rows = rows
    }

    /// Tells that the window was given another size from outside.
    mutating func resized(columns: Int, rows: Int) { (self.columns, self.rows) = (columns, rows) }

    /// Seconds of silence to wait for after an event: mostly none, so that many come at once, and
    /// sometimes as long as a frame takes.
    mutating func pause() -> Double {
        let pauses = [0, 0, 0, 0, 0, 0, 0.001, 0.001, 0.003, 0.02]
        return pauses[Int(haste.next() % UInt64(pauses.count))]
    }

    private mutating func below(_ n: Int) -> Int { Int(random.next() % UInt64(max(1, n))) }

    private mutating func one<T>(of list: [T]) -> T { list[below(list.count)] }

    private static let sizes = [
        (80, 24), (100, 30), (120, 40), (40, 12), (20, 6), (200, 60), (81, 25), (10, 3), (1, 1),
        (300, 100), (59, 15), (60, 16), (2, 40), (150, 2),
    ]

    /// Keys with names; without Ctrl-C, which quits when pressed twice.
    private static let keys: [(String, String)] = {
        var keys = [
            ("Up", "\u{1B}[A"), ("Down", "\u{1B}[B"), ("Right", "\u{1B}[C"), ("Left", "\u{1B}[D"),
            ("Home", "\u{1B}[H"), ("End", "\u{1B}[F"), ("PgUp", "\u{1B}[5~"),
            ("PgDn", "\u{1B}[6~"), ("Insert", "\u{1B}[2~"), ("Delete", "\u{1B}[3~"),
            ("Tab", "\t"), ("S-Tab", "\u{1B}[Z"), ("Enter", "\r"), ("Enter", "\r"),
            ("Esc", "\u{1B}"), ("Esc", "\u{1B}"), ("Backspace", "\u{7F}"), ("F1", "\u{1B}OP"),
            ("F5", "\u{1B}[15~"), ("C-Left", "\u{1B}[1;5D"), ("C-Right", "\u{1B}[1;5C"),
            ("S-Up", "\u{1B}[1;2A"), ("S-Down", "\u{1B}[1;2B"), ("S-Right", "\u{1B}[1;2C"),
            ("M-Left", "\u{1B}[1;3D"), ("kitty a", "\u{1B}[97;5u"), ("SS3 Up", "\u{1B}OA"),
        ]
        for letter in "abdefghklnoprstuvwxyz" {
            guard let value = letter.asciiValue else { continue }
            keys.append(("C-\(letter)", String(UnicodeScalar(value - 96))))
        }
        for letter in "abcxyz1[O]" { keys.append(("M-\(letter)", "\u{1B}\(letter)")) }
        return keys
    }()

    /// Without q, which quits where nothing is unsaved.
    private static let characters = Array(
        "abcdefghijklmnoprstuvwxyzABCDEFGHIJKLMNOPRSTUVWXYZ0123456789 /:?.,-+=[](){}<>!*#@$%^&_|~`'\""
            + "\\éß世界👍\u{301}\u{200D}\u{202E}")

    /// Cut off, wrong, or answers that nobody asked for.
    private static let broken = [
        "\u{1B}[", "\u{1B}", "\u{1B}[<0;", "\u{1B}[<99;9999;9999M", "\u{1B}[<0;0;0m", "\u{1B}[3",
        "\u{1B}[?62;4c", "\u{1B}[?1;2c", "\u{1B}[6;20;10t", "\u{1B}[4;0;0t", "\u{1B}[?1;0;0S",
        "\u{1B}[?2026;2$y", "\u{1B}]11;rgb:0000/0000/0000\u{1B}\\", "\u{1B}[200~", "\u{1B}[201~",
        "\u{0}", "\u{1B}[1n", "\u{1B}[0n", "\u{1B}[999999999999;1~", "\u{1B}O", "\u{1B}P",
        "\u{1B}[M !!", "\u{1B}[I", "\u{1B}[O", "\u{1B}[?1016;1$y", "\u{1B}_Gi=31;OK\u{1B}",
        "\u{1B}[8;1;1t", "\u{1B}[1;1R", "\u{1B}[[A",
    ]

    mutating func next() -> Event {
        switch below(100) {
        case 0..<32:
            let key = one(of: Self.keys)
            return split(Array(key.1.utf8), key.0)
        case 32..<58:
            let character = one(of: Self.characters)
            return split(Array(String(character).utf8), "'\(character)'")
        case 58..<70: return click()
        case 70..<80: return drag()
        case 80..<86:
            let button = one(of: [64, 65, 64, 65, 66, 68, 80])
            let (x, y) = (below(columns), below(rows))
            return .bytes([report(button, x, y)], "wheel \(button) \(x) \(y)")
        case 86..<91:
            let size = one(of: Self.sizes)
            (columns, rows) = size
            return .resize(columns: columns, rows: rows)
        case 91..<95:
            let text = one(of: Self.broken)
            return .bytes([Array(text.utf8)], "broken \(text.debugDescription)")
        case 95..<97:
            let bytes = (0...below(4)).map { _ in one(of: [0xFF, 0xC3, 0xE4, 0xF0, 0x9B, 0x80]) }
            return .bytes([bytes.map { UInt8($0) }], "bytes \(bytes)")
        default:
            let text = String((0...below(300)).map { _ in one(of: Self.characters) })
            return split(
                Array("\u{1B}[200~\(text)\u{1B}[201~".utf8), "paste \(text.debugDescription)")
        }
    }

    /// The same bytes in two pieces, now and then: input may be cut anywhere.
    private mutating func split(_ bytes: [UInt8], _ name: String) -> Event {
        guard bytes.count > 1, below(8) == 0 else { return .bytes([bytes], name) }
        let cut = 1 + below(bytes.count - 1)
        return .bytes([Array(bytes[..<cut]), Array(bytes[cut...])], name + " cut at \(cut)")
    }

    /// A report in pixels, as the program asks for.
    private mutating func report(_ button: Int, _ x: Int, _ y: Int, isRelease: Bool = false)
        -> [UInt8]
    {
        let (px, py) = (x * 10 + 1 + below(10), y * 20 + 1 + below(20))
        return Array("\u{1B}[<\(button);\(px);\(py)\(isRelease ? "m" : "M")".utf8)
    }

    private mutating func click() -> Event {
        let (x, y) = (below(columns), below(rows))
        let button = one(of: [0, 0, 0, 1, 2, 4, 8, 16])
        return .bytes(
            [report(button, x, y) + report(button, x, y, isRelease: true)],
            "click \(button) \(x) \(y)")
    }

    private mutating func drag() -> Event {
        let button = one(of: [0, 0, 0, 1, 2, 8])
        let from = (below(columns), below(rows))
        let to = (below(columns), below(rows))
        let points = 1 + below(12)
        var pieces = [report(button, from.0, from.1)]
        for point in 1...points {
            pieces.append(
                report(
                    button + 32, from.0 + (to.0 - from.0) * point / points,
                    from.1 + (to.1 - from.1) * point / points))
        }
        pieces.append(report(button, to.0, to.1, isRelease: true))
        return .bytes(pieces, "drag \(button) \(from) \(to) in \(points)")
    }
}
