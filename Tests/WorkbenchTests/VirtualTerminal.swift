// A terminal in memory: cells, pictures per cell, modes, and counters of what should not happen.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport

/// Takes a program's bytes as xterm would, as far as the program uses it.
///
/// Written for the tests from the control sequences' documentation (ECMA-48, xterm's ctlseqs); what
/// it does not know is counted, not ignored in silence.
final class VirtualTerminal {
    struct Cell: Equatable {
        var text: Character = " "
        /// Attributes as the parameters that set them, in their order.
        var style = ""
        /// The picture seen here; 0 for none.
        var picture = 0
        /// The right half of the wide character before it.
        var isContinuation = false
    }

    /// A picture as it was sent, and where.
    private struct Picture {
        var bytes: [UInt8]
        var column: Int
        var row: Int
    }

    /// What a well-behaved program keeps at 0, and what is only measured.
    struct Counters: Equatable {
        var picturesScrolled = 0
        var picturesCutAtTheRight = 0
        var picturesTooLarge = 0
        var picturesOutsideBands = 0
        var picturesWithoutSixel = 0
        var unknownSequences = 0
        var cells = 0
        var cellsUnchanged = 0
        var pictures = 0
        var fullClears = 0
    }

    private(set) var columns: Int
    private(set) var rows: Int
    private(set) var cells: [Cell]
    private(set) var counters = Counters()
    /// Private modes that are on.
    private(set) var modes: Set<Int> = []
    private(set) var kittyFlags = 0
    private(set) var copied: [String] = []
    private(set) var unknownSequences: [String] = []
    let cellWidth = 10
    let cellHeight = 20
    private var style = ""
    private var x = 0
    private var y = 0
    private var saved: (Int, Int, String) = (0, 0, "")
    private var top = 0
    private var bottom: Int
    private var nextPicture = 1
    private var lastCharacter: Character = " "
    private var pending: [UInt8] = []
    private var isLineDrawing = false
    private var wrapsNext = false
    private var pictures: [Int: Picture] = [:]
    private var cellsBeforeClear: [Cell] = []
    /// From a new size until the program draws for it: what was on its way is for the old one.
    private(set) var awaitsRedraw = false

    private let hasSixel: Bool

    init(columns: Int, rows: Int, hasSixel: Bool = true) {
        self.hasSixel = hasSixel
        self.columns = columns
        self.rows = rows
        bottom = rows - 1
        cells = [Cell](repeating: Cell(), count: columns * rows)
    }

    // MARK: Looking

    var lines: [String] {
        (0..<rows).map { row in
            String(
                cells[(row * columns)..<((row + 1) * columns)].filter { !$0.isContinuation }
                    .map(\.text))
        }
    }

    var text: String { lines.joined(separator: "\n") }

    func contains(_ text: String) -> Bool { lines.contains { $0.contains(text) } }

    /// Row and column of a text.
    func find(_ text: String) -> (row: Int, column: Int)? {
        for (row, line) in lines.enumerated() {
            if let range = line.range(of: text) {
                return (row, line.distance(from: line.startIndex, to: range.lowerBound))
            }
        }
        return nil
    }

    /// Rows that tell something for a while: notices end by themselves.
    var noticeRows: Set<Int> {
        let marks = ["•", "!", "✗"]
        let rows = lines.enumerated().filter { _, line in
            let text = line.drop { $0 == " " }
            return marks.contains { text.hasPrefix($0) }
        }
        return Set(rows.map(\.offset))
    }

    /// Cells that show a picture.
    var pictureCells: Int { cells.count { $0.picture != 0 } }

    /// Text and attributes of every cell, `#` where a picture is seen, to compare two moments.
    var looks: [String] { Self.looks(cells) }

    /// The same at the moment before the screen was cleared last: all that was sent before had come.
    var looksBeforeClear: [String] { Self.looks(cellsBeforeClear) }

    /// Whether cells wait for a picture: those hold no-break spaces until it comes.
    var awaitsPictures: Bool { cells.contains { $0.picture == 0 && $0.text == "\u{A0}" } }

    private static func looks(_ cells: [Cell]) -> [String] {
        cells.map { cell in
            if cell.picture != 0 { return "#" }
            // Of a blank only its background is seen.
            return "\(cell.text)|\(cell.text == " " ? background(cell.style) : cell.style)"
        }
    }

    /// What the program would leave behind if it ended now.
    var leftOn: [String] {
        var left: [String] = []
        let quiet: Set<Int> = [7, 25]
        for mode in modes.subtracting(quiet).sorted() { left.append("mode \(mode)") }
        if !modes.contains(25), hasHiddenCursor { left.append("hidden cursor") }
        if kittyFlags > 0 { left.append("kitty keyboard") }
        if top != 0 || bottom != rows - 1 { left.append("scroll region") }
        if !style.isEmpty { left.append("attributes \(style)") }
        if isLineDrawing { left.append("line drawing") }
        return left
    }

    private var hasHiddenCursor = false

    /// The mean colour of every cell that shows a picture, by its index.
    ///
    /// - Throws: what is wrong with a picture's bytes.
    func pictureColors() throws -> [Int: [Int]] {
        let seen = Dictionary(grouping: cells.indices.filter { cells[$0].picture != 0 }) {
            cells[$0].picture
        }
        pictures = pictures.filter { seen[$0.key] != nil }
        var colors: [Int: [Int]] = [:]
        for (id, places) in seen {
            guard let picture = pictures[id] else { continue }
            let image = try decodeSixel(picture.bytes).image
            for place in places {
                let left = (place % columns - picture.column) * cellWidth
                let top = (place / columns - picture.row) * cellHeight
                guard left >= 0, top >= 0 else { continue }
                var sums = [0, 0, 0]
                var count = 0
                for y in top..<min(image.height, top + cellHeight) {
                    for x in left..<min(image.width, left + cellWidth) {
                        let pixel = 3 * (y * image.width + x)
                        for channel in 0..<3 { sums[channel] += Int(image.pixels[pixel + channel]) }
                        count += 1
                    }
                }
                colors[place] = sums.map { $0 / max(1, count) }
            }
        }
        return colors
    }

    func resize(columns newColumns: Int, rows newRows: Int) {
        guard newColumns != columns || newRows != rows else { return }
        awaitsRedraw = true
        // As xterm does: what has room stays where it is.
        var kept = [Cell](repeating: Cell(), count: newColumns * newRows)
        for row in 0..<min(rows, newRows) {
            for column in 0..<min(columns, newColumns) {
                kept[row * newColumns + column] = cells[row * columns + column]
            }
        }
        cells = kept
        columns = newColumns
        rows = newRows
        top = 0
        bottom = rows - 1
        x = min(x, columns - 1)
        y = min(y, rows - 1)
    }

    // MARK: Bytes

    func feed(_ bytes: some Sequence<UInt8>) {
        pending += bytes
        var index = 0
        while index < pending.count {
            guard let length = step(at: index) else { break }
            index += length
        }
        pending.removeFirst(index)
    }

    /// Takes one unit; nil when it is not whole yet.
    private func step(at index: Int) -> Int? {
        let byte = pending[index]
        switch byte {
        case 0x1B: return escape(at: index)
        case 0x07, 0x00, 0x18: return 1
        case 0x08:
            x = max(0, x - 1)
            wrapsNext = false
            return 1
        case 0x09:
            x = min(columns - 1, (x / 8 + 1) * 8)
            return 1
        case 0x0A, 0x0B, 0x0C:
            lineFeed()
            return 1
        case 0x0D:
            x = 0
            wrapsNext = false
            return 1
        case 0x0E:
            isLineDrawing = true
            return 1
        case 0x0F:
            isLineDrawing = false
            return 1
        case 0x20..<0x7F:
            put(Character(UnicodeScalar(byte)))
            return 1
        default:
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            guard index + length <= pending.count else { return nil }
            let text = String(decoding: pending[index..<(index + length)], as: UTF8.self)
            if let character = text.first { put(character) }
            return length
        }
    }

    private func escape(at index: Int) -> Int? {
        guard index + 1 < pending.count else { return nil }
        switch pending[index + 1] {
        case UInt8(ascii: "["):
            var end = index + 2
            while end < pending.count, (0x20..<0x40).contains(pending[end]) { end += 1 }
            guard end < pending.count else { return nil }
            // A control character or another escape ends what was cut.
            if pending[end] < 0x20 { return end - index }
            control(String(decoding: pending[(index + 2)..<end], as: UTF8.self), pending[end])
            return end + 1 - index
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "_"), UInt8(ascii: "^"):
            return string(at: index)
        case UInt8(ascii: "("), UInt8(ascii: ")"):
            guard index + 2 < pending.count else { return nil }
            if pending[index + 1] == UInt8(ascii: "(") {
                isLineDrawing = pending[index + 2] == UInt8(ascii: "0")
            }
            return 3
        case UInt8(ascii: "7"): saved = (x, y, style)
        case UInt8(ascii: "8"):
            // Saved in a larger window, perhaps.
            (x, y, style) = (min(saved.0, columns - 1), min(saved.1, rows - 1), saved.2)
            wrapsNext = false
        case UInt8(ascii: "M"): if y == top { scroll(-1) } else { y = max(0, y - 1) }
        case UInt8(ascii: "="), UInt8(ascii: ">"), UInt8(ascii: "\\"): break
        case 0x1B, 0x18: return 1
        default: noteUnknown("ESC \(pending[index + 1])")
        }
        return 2
    }

    /// OSC, DCS, APC up to their end.
    private func string(at index: Int) -> Int? {
        var end = index + 2
        while end < pending.count {
            if pending[end] == 0x07, pending[index + 1] == UInt8(ascii: "]") { break }
            if pending[end] == 0x18 { return end + 1 - index }
            if pending[end] == 0x1B {
                guard end + 1 < pending.count else { return nil }
                break
            }
            end += 1
        }
        guard end < pending.count else { return nil }
        let body = pending[(index + 2)..<end]
        if pending[index + 1] == UInt8(ascii: "P") { device(body) }
        if pending[index + 1] == UInt8(ascii: "]") {
            let text = String(decoding: body, as: UTF8.self)
            if text.hasPrefix("52;c;"), let data = Data(base64Encoded: String(text.dropFirst(5))) {
                copied.append(String(decoding: data, as: UTF8.self))
            }
        }
        if pending[end] == 0x07 { return end + 1 - index }
        // ST; a lone ESC begins something else.
        return pending[end + 1] == UInt8(ascii: "\\") ? end + 2 - index : end - index
    }

    private func noteUnknown(_ text: String) {
        counters.unknownSequences += 1
        unknownSequences.append(text)
    }

    private func control(_ text: String, _ final: UInt8) {
        let isPrivate = text.first.map { "?<>=".contains($0) } ?? false
        let body = isPrivate ? String(text.dropFirst()) : text
        let numbers = body.split(separator: ";", omittingEmptySubsequences: false).map {
            Int($0.prefix { $0.isNumber }) ?? 0
        }
        func first(_ fallback: Int = 1) -> Int {
            numbers.first.flatMap { $0 == 0 ? nil : $0 } ?? fallback
        }
        if isPrivate {
            privateControl(text, numbers, final)
            return
        }
        wrapsNext = false
        switch final {
        case UInt8(ascii: "H"), UInt8(ascii: "f"):
            y = min(rows - 1, max(0, first() - 1))
            x = min(columns - 1, max(0, (numbers.count > 1 ? max(1, numbers[1]) : 1) - 1))
        case UInt8(ascii: "A"): y = max(0, y - first())
        case UInt8(ascii: "B"): y = min(rows - 1, y + first())
        case UInt8(ascii: "C"): x = min(columns - 1, x + first())
        case UInt8(ascii: "D"): x = max(0, x - first())
        case UInt8(ascii: "G"): x = min(columns - 1, first() - 1)
        // Back to tab stops: curses goes to the left by them where that is shortest.
        case UInt8(ascii: "Z"): for _ in 0..<min(columns, first()) { x = max(0, x - 1) / 8 * 8 }
        case UInt8(ascii: "d"): y = min(rows - 1, first() - 1)
        case UInt8(ascii: "J"): eraseDisplay(numbers.first ?? 0)
        case UInt8(ascii: "K"): eraseLine(numbers.first ?? 0)
        case UInt8(ascii: "X"): for i in 0..<min(first(), columns - x) { erase(y, x + i) }
        case UInt8(ascii: "P"): shift(-first())
        case UInt8(ascii: "@"): shift(first())
        case UInt8(ascii: "b"): for _ in 0..<first() { put(lastCharacter) }
        // Where no picture is on the screen curses moves lines, also with its idlok off.
        case UInt8(ascii: "L"): moveLines(down: first())
        case UInt8(ascii: "M"): moveLines(down: -first())
        case UInt8(ascii: "S"): for _ in 0..<min(rows, first()) { scroll(1) }
        case UInt8(ascii: "T"): for _ in 0..<min(rows, first()) { scroll(-1) }
        case UInt8(ascii: "r"):
            awaitsRedraw = false
            let last = numbers.count > 1 && numbers[1] > 0 ? numbers[1] : rows
            bottom = min(rows, last) - 1
            top = min(first() - 1, bottom)
            (x, y) = (0, 0)
        case UInt8(ascii: "m"):
            if body.isEmpty || body == "0" {
                style = ""
            } else if body.hasPrefix("0;") {
                style = String(body.dropFirst(2))
            } else {
                style += (style.isEmpty ? "" : ";") + body
                normalizeStyle()
            }
        case UInt8(ascii: "c"), UInt8(ascii: "n"), UInt8(ascii: "t"), UInt8(ascii: "h"),
            UInt8(ascii: "l"), UInt8(ascii: "p"):
            break
        default: noteUnknown("CSI \(text) \(UnicodeScalar(final))")
        }
    }

    /// 39 and 49 take a colour back; the newest setting of a kind counts.
    private func normalizeStyle() {
        var kinds: [(String, String)] = []
        var parts = style.split(separator: ";").map(String.init)[...]
        while let part = parts.popFirst() {
            var value = part
            if part == "38" || part == "48", let kind = parts.first {
                let count = kind == "2" ? 4 : 2
                value += ";" + parts.prefix(count).joined(separator: ";")
                parts = parts.dropFirst(count)
            }
            let number = Int(part) ?? 0
            let kind: String
            switch number {
            case 30...39, 90...97: kind = "fg"
            case 40...49, 100...107: kind = "bg"
            case 22:
                kinds.removeAll { $0.0 == "1" || $0.0 == "2" }
                continue
            case 23, 24, 27:
                kinds.removeAll { $0.0 == String(number - 20) }
                continue
            default: kind = part
            }
            kinds.removeAll { $0.0 == kind }
            if number != 39, number != 49 { kinds.append((kind, value)) }
        }
        style = kinds.sorted { $0.0 < $1.0 }.map(\.1).joined(separator: ";")
    }

    private func privateControl(_ text: String, _ numbers: [Int], _ final: UInt8) {
        switch final {
        case UInt8(ascii: "h") where text.hasPrefix("?"):
            for mode in numbers {
                modes.insert(mode)
                if mode == 25 { hasHiddenCursor = false }
                if mode == 1049 { clear() }
            }
        case UInt8(ascii: "l") where text.hasPrefix("?"):
            for mode in numbers {
                modes.remove(mode)
                if mode == 25 { hasHiddenCursor = true }
                if mode == 1049 { clear() }
            }
        case UInt8(ascii: "u"):
            if text.hasPrefix(">") { kittyFlags += 1 }
            if text.hasPrefix("<") { kittyFlags = max(0, kittyFlags - 1) }
        case UInt8(ascii: "c"), UInt8(ascii: "q"), UInt8(ascii: "S"), UInt8(ascii: "p"),
            UInt8(ascii: "s"), UInt8(ascii: "r"), UInt8(ascii: "n"), UInt8(ascii: "m"):
            break
        default: noteUnknown("CSI \(text) \(UnicodeScalar(final))")
        }
    }

    // MARK: Cells

    private func put(_ character: Character) {
        let width = character.unicodeScalars.first.map(Self.width) ?? 1
        if width == 0 {
            var column = wrapsNext ? x : max(0, x - 1)
            if cells[y * columns + column].isContinuation { column = max(0, column - 1) }
            cells[y * columns + column].text = Character(
                String(cells[y * columns + column].text) + String(character))
            return
        }
        if wrapsNext || width == 2 && x == columns - 1 {
            x = 0
            lineFeed()
            wrapsNext = false
        }
        lastCharacter = character
        let cell = Cell(text: isLineDrawing ? Self.line(character) : character, style: style)
        counters.cells += 1
        if cells[y * columns + x] == cell { counters.cellsUnchanged += 1 }
        set(x, cell)
        if width == 2, x + 1 < columns {
            x += 1
            set(x, Cell(style: style, isContinuation: true), isSecond: true)
        }
        if x == columns - 1 { wrapsNext = true } else { x += 1 }
    }

    /// Columns of a scalar: marks take none, East Asian wide blocks and emoji two.
    private static func width(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F,
            0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }

    /// Writes a cell of the current row; a wide character that loses a half becomes blank.
    private func set(_ column: Int, _ cell: Cell, isSecond: Bool = false) {
        let index = y * columns + column
        if cells[index].isContinuation, !isSecond, column > 0 { cells[index - 1].text = " " }
        if column + 1 < columns, cells[index + 1].isContinuation {
            cells[index + 1].isContinuation = false
        }
        cells[index] = cell
    }

    /// DEC special graphics.
    private static func line(_ character: Character) -> Character {
        let table: [Character: Character] = [
            "q": "─", "x": "│", "l": "┌", "k": "┐", "m": "└", "j": "┘", "t": "├", "u": "┤",
            "v": "┴", "w": "┬", "n": "┼", "a": "▒",
        ]
        return table[character] ?? character
    }

    private func erase(_ row: Int, _ column: Int) {
        cells[row * columns + column] = Cell(style: background)
    }

    /// Erasing fills with the background colour.
    private var background: String { Self.background(style) }

    private static func background(_ style: String) -> String {
        let parts = style.split(separator: ";").map(String.init)
        guard
            let start = parts.firstIndex(where: { Int($0).map { (40...48).contains($0) } ?? false })
        else { return "" }
        if parts[start] != "48" { return parts[start] }
        let count = parts.count > start + 1 && parts[start + 1] == "2" ? 5 : 3
        return parts[start..<min(parts.count, start + count)].joined(separator: ";")
    }

    private func clear() { cells = [Cell](repeating: Cell(), count: columns * rows) }

    private func eraseDisplay(_ kind: Int) {
        if kind > 1 || kind == 0 && x == 0 && y == 0 {
            cellsBeforeClear = cells
            counters.fullClears += 1
        }
        switch kind {
        case 0:
            eraseLine(0)
            for row in (y + 1)..<max(y + 1, rows) {
                for column in 0..<columns { erase(row, column) }
            }
        case 1:
            for row in 0..<y { for column in 0..<columns { erase(row, column) } }
            eraseLine(1)
        default:
            for row in 0..<rows { for column in 0..<columns { erase(row, column) } }
        }
    }

    private func eraseLine(_ kind: Int) {
        let range = kind == 0 ? x..<columns : kind == 1 ? 0..<(x + 1) : 0..<columns
        for column in range { erase(y, column) }
    }

    private func shift(_ count: Int) {
        let start = y * columns
        var line = Array(cells[start..<(start + columns)])
        if count < 0 {
            let n = min(-count, columns - x)
            line.removeSubrange(x..<(x + n))
            line += [Cell](repeating: Cell(), count: n)
        } else {
            let n = min(count, columns - x)
            line.insert(contentsOf: [Cell](repeating: Cell(), count: n), at: x)
            line.removeLast(n)
        }
        cells.replaceSubrange(start..<(start + columns), with: line)
    }

    private func lineFeed() {
        if y == bottom { scroll(1) } else { y = min(rows - 1, y + 1) }
    }

    /// Inserts or deletes lines at the cursor: those below move within the scroll region.
    private func moveLines(down count: Int) {
        guard (top...bottom).contains(y) else { return }
        let above = top
        top = y
        for _ in 0..<min(abs(count), bottom - y + 1) { scroll(-count.signum()) }
        top = above
        x = 0
    }

    private func scroll(_ lines: Int) {
        let region = (top * columns)..<((bottom + 1) * columns)
        if !awaitsRedraw, cells[region].contains(where: { $0.picture != 0 }) {
            counters.picturesScrolled += 1
        }
        let blank = [Cell](repeating: Cell(), count: columns)
        if lines > 0 {
            cells.removeSubrange((top * columns)..<((top + 1) * columns))
            cells.insert(contentsOf: blank, at: bottom * columns)
        } else {
            cells.removeSubrange((bottom * columns)..<((bottom + 1) * columns))
            cells.insert(contentsOf: blank, at: top * columns)
        }
    }

    // MARK: Pictures

    private func device(_ body: ArraySlice<UInt8>) {
        guard let q = body.firstIndex(of: UInt8(ascii: "q")),
            body[..<q].allSatisfy({ $0 == UInt8(ascii: ";") || (0x30...0x39).contains($0) })
        else { return }
        guard hasSixel else {
            counters.picturesWithoutSixel += 1
            return
        }
        let data = body[(q + 1)...]
        guard data.first == UInt8(ascii: "\"") else {
            counters.picturesOutsideBands += 1
            return
        }
        let raster = String(
            decoding: data.dropFirst().prefix { $0 == 0x3B || (0x30...0x39).contains($0) },
            as: UTF8.self
        ).split(separator: ";").compactMap { Int($0) }
        guard raster.count == 4 else {
            counters.picturesOutsideBands += 1
            return
        }
        counters.pictures += 1
        let (width, height) = (raster[2], raster[3])
        let bands = data.count { $0 == UInt8(ascii: "-") } + 1
        if bands != (height + 5) / 6 { counters.picturesOutsideBands += 1 }
        if width > 1000 || height > 1000 { counters.picturesTooLarge += 1 }
        let wide = (width + cellWidth - 1) / cellWidth
        let high = (height + cellHeight - 1) / cellHeight
        if !awaitsRedraw {
            if x + wide > columns { counters.picturesCutAtTheRight += 1 }
            // The cursor goes below the picture: on the last row that scrolls.
            if y + high > rows - 1 { counters.picturesScrolled += 1 }
        }
        let id = nextPicture
        nextPicture += 1
        pictures[id] = Picture(
            bytes: [0x1B, UInt8(ascii: "P")] + body + [0x1B, UInt8(ascii: "\\")], column: x, row: y)
        for row in y..<min(rows, y + high) {
            for column in x..<min(columns, x + wide) {
                cells[row * columns + column].picture = id
            }
        }
    }
}
