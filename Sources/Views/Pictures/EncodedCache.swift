// Encoded pictures by what determines them; the least recently used go first.
// SPDX-License-Identifier: Apache-2.0

/// Everything that determines the bytes of a picture or of a part of it.
nonisolated struct EncodedKey: Hashable, Sendable {
    /// How the colours are chosen.
    enum Mode: Hashable, Sendable {
        case ordered, orderedHalf, ownDiffused, libsixel
        /// All colours, as PNG inside the terminal's own sequence.
        case kitty, iterm2

        var isOrdered: Bool { self == .ordered || self == .orderedHalf }
        /// Whether a tile looks as it would inside of the whole picture.
        var hasTiles: Bool { isOrdered || self == .kitty || self == .iterm2 }
    }

    var id: Int
    var version: Int
    var pixels: PixelSize
    var mode: Mode
    var registers: Int
    /// The cells that the part fills.
    var cells = CellSize(columns: 0, rows: 0)
    /// Nil for the indices of the whole picture, from which parts are cut.
    var part: PixelRect?
}

/// A cache with a limit in bytes.
nonisolated struct EncodedCache: Sendable {
    enum Value: Sendable {
        case bytes([UInt8])
        case indices(IndexedPicture)

        var byteCount: Int {
            switch self {
            case .bytes(let bytes): bytes.count
            case .indices(let picture): picture.byteCount
            }
        }
    }

    let limit: Int
    private(set) var byteCount = 0
    private var entries: [EncodedKey: (value: Value, used: UInt64)] = [:]
    private var clock: UInt64 = 0

    init(limit: Int = 32 << 20) { self.limit = limit }

    var count: Int { entries.count }

    mutating func value(_ key: EncodedKey) -> Value? {
        guard let entry = entries[key] else { return nil }
        clock += 1
        entries[key]?.used = clock
        return entry.value
    }

    mutating func insert(_ value: Value, for key: EncodedKey) {
        if let old = entries.removeValue(forKey: key) { byteCount -= old.value.byteCount }
        guard value.byteCount <= limit else { return }
        clock += 1
        entries[key] = (value, clock)
        byteCount += value.byteCount
        guard byteCount > limit else { return }
        // Down to 7/8 at once, so that the sort is paid for by many insertions.
        for (key, entry) in entries.sorted(by: { $0.value.used < $1.value.used }) {
            if byteCount <= limit - limit / 8 { break }
            entries.removeValue(forKey: key)
            byteCount -= entry.value.byteCount
        }
    }

    /// Forgets a picture.
    mutating func remove(id: Int) {
        for (key, entry) in entries where key.id == id {
            entries.removeValue(forKey: key)
            byteCount -= entry.value.byteCount
        }
    }
}
