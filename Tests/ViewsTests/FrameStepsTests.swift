// Steps to a frame on a slow line: the focus first, every cell in the end. SPDX-License-Identifier: Apache-2.0
import Core
import Testing

@testable import Views

@MainActor
@Suite("Steps to a frame")
struct FrameStepsTests {
    private let size = CellSize(columns: 40, rows: 12)

    private func surface(_ seed: UInt64, pictures: [Rect] = []) -> Surface {
        var random = RandomGenerator(seed: seed)
        var surface = Surface(size: size)
        let characters = Array("abc 世👍x")
        for row in 0..<size.rows {
            var column = 0
            while column < size.columns {
                let character = characters[Int(random.next() % UInt64(characters.count))]
                let style = Style.plain.foreground(.ansi(UInt8(random.next() % 3)))
                column = surface.put(character, x: column, y: row, style: style)
            }
        }
        for (id, rect) in pictures.enumerated() {
            surface.place(picture: id, version: Int(seed), in: rect)
        }
        return surface
    }

    /// No cell holds half of a wide cluster.
    private func isSound(_ surface: Surface) -> Bool {
        surface.cells.indices.allSatisfy { index in
            let column = index % size.columns
            switch surface.cells[index].width {
            case 0: return column > 0 && surface.cells[index - 1].width == 2
            case 2: return column + 1 < size.columns && surface.cells[index + 1].width == 0
            default: return true
            }
        }
    }

    @Test("Whatever stands there, the steps end at the frame, and none has half a cluster")
    func reach() {
        let places = [
            [], [Rect(x: 3, y: 2, width: 14, height: 6)],
            [Rect(x: 20, y: 1, width: 13, height: 5), Rect(x: 3, y: 2, width: 14, height: 6)],
            [Rect(x: 4, y: 2, width: 14, height: 6)],
        ]
        for seed in 0..<24 as Range<UInt64> {
            var steps = FrameSteps()
            var shown = surface(seed, pictures: places[Int(seed % 4)])
            let frame = Frame(
                surface: surface(seed + 100, pictures: places[Int(seed / 4 % 4)]),
                focus: seed % 3 == 0 ? nil : Rect(x: 5, y: 3, width: 17, height: 5))
            var count = 0
            while shown != frame.surface, count < 60 {
                shown = steps.step(from: shown, to: frame, bytes: 200)
                let sound = isSound(shown)
                #expect(sound)
                count += 1
            }
            let isThere = shown == frame.surface
            #expect(isThere, "seed \(seed)")
        }
    }

    @Test("What the keys work in comes alone and first, but not for ever")
    func focus() {
        var steps = FrameSteps()
        let focus = Rect(x: 0, y: 2, width: 10, height: 3)
        var shown = Surface(size: size)
        var wanted = Surface(size: size)
        for row in 0..<size.rows { wanted.put(String(repeating: "o", count: 40), x: 0, y: row) }
        func rest() -> Int {
            zip(shown.cells, wanted.cells).enumerated().count { index, pair in
                let at = Point(x: index % size.columns, y: index / size.columns)
                return pair.0 != pair.1 && !focus.contains(at)
            }
        }
        for key in 0..<8 {
            wanted.put("key \(key)", x: 1, y: 3)
            let before = rest()
            shown = steps.step(
                from: shown, to: Frame(surface: wanted, focus: focus), bytes: 150)
            #expect(shown[1 + 4, 3] == wanted[1 + 4, 3])
            // Every fourth step others have their turn.
            #expect((rest() < before) == (key % 4 == 3), "key \(key)")
        }
    }

    @Test("A step that gives way to pictures takes the focus alone")
    func givesWay() {
        var steps = FrameSteps()
        let shown = surface(1)
        let frame = Frame(surface: surface(2), focus: Rect(x: 0, y: 0, width: 0, height: 0))
        let isSame = steps.step(from: shown, to: frame, bytes: 100, focusOnly: true) == shown
        #expect(isSame)
    }
}
