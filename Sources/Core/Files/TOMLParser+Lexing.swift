// Bytes, blanks, comments and places of a TOML text. SPDX-License-Identifier: Apache-2.0

extension TOMLParser {
    var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    func peek(_ ahead: Int) -> UInt8? {
        offset + ahead < bytes.count ? bytes[offset + ahead] : nil
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        offset += 1
        return true
    }

    mutating func expect(_ byte: UInt8, _ what: String) throws(TOMLError) {
        guard take(byte) else { throw unexpected(what) }
    }

    mutating func skipSpaces() {
        while peek == 0x20 || peek == 0x09 { offset += 1 }
    }

    /// Skips spaces, comments and line ends.
    mutating func skipBlankLines() throws(TOMLError) {
        while true {
            skipSpaces()
            try skipComment()
            guard takeLineEnd() else { return }
        }
    }

    /// Requires that nothing but a comment follows on this line.
    mutating func endLine() throws(TOMLError) {
        skipSpaces()
        try skipComment()
        guard peek == nil || takeLineEnd() else { throw unexpected("the end of the line") }
    }

    private mutating func skipComment() throws(TOMLError) {
        guard peek == UInt8(ascii: "#") else { return }
        while let byte = peek, byte != 0x0A, !(byte == 0x0D && peek(1) == 0x0A) {
            try refuseControl(byte)
            offset += 1
        }
    }

    mutating func takeLineEnd() -> Bool {
        if take(0x0A) { return true }
        if peek == 0x0D, peek(1) == 0x0A {
            offset += 2
            return true
        }
        return false
    }

    func refuseControl(_ byte: UInt8) throws(TOMLError) {
        guard byte < 0x20 && byte != 0x09 || byte == 0x7F else { return }
        throw error(.forbiddenCharacter(hexName(byte)), at: position(at: offset))
    }

    private func hexName(_ byte: UInt8) -> String {
        let hex = String(byte, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: 4 - hex.count) + hex
    }

    // MARK: Errors and places

    func position(at offset: Int) -> TOMLPosition {
        let end = min(offset, bytes.count)
        // The last line start that is not beyond `end`.
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= end { low = middle } else { high = middle }
        }
        // Continuation bytes of UTF-8 (10xxxxxx) don't count as columns.
        let before = bytes[min(lineStarts[low], end)..<end]
        let column = before.reduce(1) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
        return TOMLPosition(line: low + 1, column: column)
    }

    func error(_ problem: TOMLError.Problem, at position: TOMLPosition) -> TOMLError {
        TOMLError(problem, at: position, file: file)
    }

    func unexpected(_ expected: String) -> TOMLError {
        error(.expected(expected, found: foundHere), at: position(at: offset))
    }

    private var foundHere: String {
        guard let byte = peek else { return "the end of the file" }
        if byte == 0x0A || byte == 0x0D { return "the end of the line" }
        if byte < 0x20 || byte == 0x7F { return "the character \(hexName(byte))" }
        var end = offset + 1
        while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
        return "\"" + String(decoding: bytes[offset..<end], as: UTF8.self) + "\""
    }
}
