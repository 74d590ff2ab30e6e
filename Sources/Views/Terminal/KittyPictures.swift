// Which pictures a kitty terminal holds, and which must be deleted. SPDX-License-Identifier: Apache-2.0

/// Text does not erase kitty's pictures: what was sent is remembered by number and place.
nonisolated struct KittyPictures: Sendable {
    private struct Sent: Sendable {
        var number: Int
        var rect: Rect
    }

    private var sent: [Sent] = []
    private var next = 1

    static let deleteAll = Array("\u{1B}_Ga=d,d=A,q=2\u{1B}\\".utf8)

    /// Tiles upon tiles: beyond this the screen is sent anew.
    static let most = 256

    var isFull: Bool { sent.count > Self.most }
    var isEmpty: Bool { sent.isEmpty }

    /// Forgets all; returns the bytes that make the terminal do so too.
    mutating func clear() -> [UInt8] {
        defer { sent = [] }
        return sent.isEmpty ? [] : Self.deleteAll
    }

    /// The bytes of a picture with its number, and those that delete what it covers wholly.
    mutating func show(_ bytes: [UInt8], in rect: Rect) -> [UInt8] {
        let number = next
        next = next % 0xFFFF_FFF + 1
        let covered = sent.filter { $0.rect.intersection(rect) == $0.rect }
        sent.removeAll { $0.rect.intersection(rect) == $0.rect }
        sent.append(Sent(number: number, rect: rect))
        // Behind `ESC _ G`.
        return Array(bytes.prefix(3)) + Array("i=\(number),p=1,".utf8) + Array(bytes.dropFirst(3))
            + covered.flatMap { Self.delete($0.number) }
    }

    /// Text went over these cells: deletes the pictures there and returns where they stood, for
    /// their other cells are bare now.
    mutating func erase(_ cells: [Point]) -> (bytes: [UInt8], bare: [Rect]) {
        guard !sent.isEmpty, !cells.isEmpty else { return ([], []) }
        var bytes: [UInt8] = []
        var bare: [Rect] = []
        var pending = cells
        // A picture that goes uncovers those below it, and they go as well.
        while !pending.isEmpty {
            let gone = sent.filter { picture in pending.contains { picture.rect.contains($0) } }
            guard !gone.isEmpty else { break }
            let numbers = Set(gone.map(\.number))
            sent.removeAll { numbers.contains($0.number) }
            bytes += gone.flatMap { Self.delete($0.number) }
            bare += gone.map(\.rect)
            // Below a tile lies the picture it changed: it would show the old pixels.
            pending = gone.flatMap { picture in
                sent.filter { !$0.rect.intersection(picture.rect).isEmpty }
                    .map { Point(x: $0.rect.x, y: $0.rect.y) }
            }
        }
        return (bytes, bare)
    }

    private static func delete(_ number: Int) -> [UInt8] {
        Array("\u{1B}_Ga=d,d=I,i=\(number),q=2\u{1B}\\".utf8)
    }
}
