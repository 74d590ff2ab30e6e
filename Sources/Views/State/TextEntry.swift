// A line of text being typed.
// SPDX-License-Identifier: Apache-2.0

nonisolated struct TextEntry: Sendable, Equatable {
    private(set) var text: String
    /// Clusters left of the cursor.
    private(set) var cursor: Int

    static let limit = 4096

    init(_ text: String = "") {
        self.text = String(text.prefix(Self.limit))
        cursor = self.text.count
    }

    mutating func insert(_ added: String) {
        let clean = added.filter { !$0.isNewline && $0 != "\t" }
        let room = Self.limit - text.count
        let piece = String(clean.prefix(max(0, room)))
        var characters = Array(text)
        characters.insert(contentsOf: Array(piece), at: min(cursor, characters.count))
        let before = cursor + piece.count
        text = String(characters)
        cursor = min(before, text.count)
    }

    /// Takes a key; returns whether it was one for a text.
    mutating func handle(_ key: KeyPress) -> Bool {
        if let typed = key.typedText {
            insert(String(typed))
            return true
        }
        var characters = Array(text)
        switch (key.code, key.modifiers) {
        case (.backspace, _):
            if cursor > 0 {
                characters.remove(at: cursor - 1)
                cursor -= 1
            }
        case (.delete, _): if cursor < characters.count { characters.remove(at: cursor) }
        case (.left, []): cursor = max(0, cursor - 1)
        case (.right, []): cursor = min(characters.count, cursor + 1)
        case (.home, _), (.character("a"), .control): cursor = 0
        case (.end, _), (.character("e"), .control): cursor = characters.count
        case (.character("u"), .control):
            characters.removeFirst(cursor)
            cursor = 0
        case (.character("k"), .control): characters.removeLast(characters.count - cursor)
        case (.character("w"), .control):
            var start = cursor
            while start > 0, characters[start - 1] == " " { start -= 1 }
            while start > 0, characters[start - 1] != " " { start -= 1 }
            characters.removeSubrange(start..<cursor)
            cursor = start
        default: return false
        }
        text = String(characters)
        cursor = min(cursor, text.count)
        return true
    }
}
