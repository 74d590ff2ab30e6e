// Text through curses into memory.
// SPDX-License-Identifier: Apache-2.0
import CTerm

/// Curses as a text screen; there is one per process.
final class CursesScreen: TextScreen {
    private var pairs: [ColorPair: Int32] = [:]
    private var pairLimit = 0
    private(set) var depth = Capabilities.ColorDepth.none
    private let forbidsColor: Bool
    private var glyphs: GlyphRules
    /// Set when a frame found no pair left; the next one is drawn anew with fresh pairs.
    private(set) var hasRunOutOfPairs = false

    private struct ColorPair: Hashable {
        var foreground: Int32
        var background: Int32
    }

    /// Starts curses as a terminal of that name.
    init(
        terminfoName: String, size: CellSize, forbidsColor: Bool, hasBraille: Bool = true
    ) throws(TerminalError) {
        self.forbidsColor = forbidsColor
        glyphs = GlyphRules(hasBraille: hasBraille)
        try start(terminfoName: terminfoName, size: size)
    }

    private func start(terminfoName: String, size: CellSize) throws(TerminalError) {
        switch cterm_start(terminfoName, Int32(max(1, size.rows)), Int32(max(1, size.columns))) {
        case Int32(CTERM_OK): break
        case Int32(CTERM_TOO_SIMPLE): throw .tooSimple(terminfoName)
        case Int32(CTERM_UNKNOWN): throw .unknownTerminal(terminfoName)
        default: throw .system("no memory file for the screen")
        }
        pairs = [:]
        pairLimit = min(Int(cterm_pairs()), 32_768)
        let depths: [Capabilities.ColorDepth] = [.direct, .xterm256, .ansi16, .ansi8]
        depth = forbidsColor ? .none : depths.first { colors >= $0.rawValue } ?? .none
        glyphs.fillsBlocks = depth != .none
    }

    /// Colours that the terminal has.
    var colors: Int { Int(cterm_colors()) }

    /// Goes on as a terminal of another name; the next frame is drawn anew.
    func restart(terminfoName: String, size: CellSize) throws(TerminalError) {
        cterm_discard()
        try start(terminfoName: terminfoName, size: size)
    }

    func put(row: Int, cells: ArraySlice<Cell>) {
        var scalars: [UInt32] = []
        for (column, drawn) in cells.enumerated() where drawn.width > 0 {
            let cell = glyphs.apply(drawn)
            scalars.removeAll(keepingCapacity: true)
            for scalar in cell.character.unicodeScalars { scalars.append(scalar.value) }
            cterm_put(
                Int32(row), Int32(column), scalars, Int32(scalars.count), Int32(cell.width),
                attributes(cell.style.modifiers),
                pair(cell.style))
        }
    }

    private func attributes(_ modifiers: Style.Modifiers) -> UInt32 {
        // The first five bits are the same on both sides.
        var bits = UInt32(modifiers.rawValue & 31)
        if modifiers.contains(.crossedOut) { bits |= UInt32(CTERM_DIM) }
        return bits
    }

    /// The pair of a style.
    private func pair(_ style: Style) -> Int32 {
        let key = ColorPair(
            foreground: depth.index(of: style.foreground),
            background: depth.index(of: style.background))
        if key.foreground < 0 && key.background < 0 || pairLimit < 2 { return 0 }
        if let known = pairs[key] { return known }
        if pairs.count + 1 >= pairLimit {
            // With a handful of pairs every frame would run out again: then colours are lost.
            hasRunOutOfPairs = pairLimit > 256
            return 0
        }
        let number = Int32(pairs.count + 1)
        pairs[key] = number
        cterm_define_pair(number, key.foreground, key.background)
        return number
    }

    func setCursor(_ point: Point?, isVisible: Bool) {
        cterm_cursor(Int32(point?.y ?? -1), Int32(point?.x ?? 0), isVisible ? 1 : 0)
    }

    func redraw() {
        pairs.removeAll(keepingCapacity: true)
        hasRunOutOfPairs = false
        cterm_redraw()
    }

    func resize(_ size: CellSize) {
        cterm_resize(Int32(max(1, size.rows)), Int32(max(1, size.columns)))
    }

    func takeBytes(keepingLines: Bool) -> [UInt8] {
        Self.take { cterm_frame($0, keepingLines ? 1 : 0) }
    }

    /// The bytes that leave full-screen mode; the next frame enters it again.
    func leave() -> [UInt8] { Self.take(cterm_leave) }

    private static func take(
        _ function: (UnsafeMutablePointer<UnsafePointer<UInt8>?>) -> Int
    ) -> [UInt8] {
        var bytes: UnsafePointer<UInt8>?
        let count = function(&bytes)
        // The pointer is valid until the next call; the copy is made before that.
        return Array(UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : count))
    }
}
