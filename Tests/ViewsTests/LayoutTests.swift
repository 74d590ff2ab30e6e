// The split tree at all sizes.
// SPDX-License-Identifier: Apache-2.0
import Testing
import Views

@Suite("Layout")
struct LayoutTests {
    private let layout = Layout<Int>(
        .split(
            .horizontal,
            [
                .init(
                    .split(
                        .vertical,
                        [
                            .init(.pane(1, minimum: CellSize(columns: 12, rows: 2))),
                            .init(.pane(2, minimum: CellSize(columns: 12, rows: 3)), weight: 2),
                        ])),
                .init(.pane(3, minimum: CellSize(columns: 20, rows: 5)), weight: 2),
                .init(.pane(4, minimum: CellSize(columns: 10, rows: 3))),
            ]))

    private func area(_ screen: CellSize) -> Rect {
        Rect(x: 0, y: 0, width: screen.columns, height: screen.rows - 1)
    }

    @Test("Every size from 1x1 to 300x100 gives panes inside that share one line at most")
    func allSizes() {
        for columns in stride(from: 1, through: 300, by: 7) {
            for rows in stride(from: 1, through: 100, by: 3) {
                let screen = CellSize(columns: columns, rows: rows)
                for zoom in Zoom.allCases {
                    let found = layout.arrange(
                        screen: screen, area: area(screen), focus: 3, zoom: zoom)
                    check(found, screen)
                }
            }
        }
    }

    private func check(_ found: Layout<Int>.Arrangement, _ screen: CellSize) {
        if screen.columns < 20 || screen.rows < 6 {
            #expect(found.isTooSmall && found.panes.isEmpty)
            return
        }
        #expect(!found.panes.isEmpty)
        let whole = area(screen)
        var inside = 0
        for placed in found.panes {
            #expect(whole.contains(placed.frame))
            for other in found.panes where other.pane < placed.pane {
                #expect(!placed.content.intersects(other.content))
            }
            inside += placed.content.area
        }
        if found.panes.count == 4 {
            for placed in found.panes {
                let least = [1: (12, 2), 2: (12, 3), 3: (20, 5), 4: (10, 3)][placed.pane]
                #expect(placed.content.width >= least?.0 ?? 0)
                #expect(placed.content.height >= least?.1 ?? 0)
            }
            // All but the borders is panes: 4 vertical lines, 2 outer rows, one row in the left.
            let left = found.placed(1)?.content.width ?? 0
            #expect(inside == (whole.width - 4) * (whole.height - 2) - left)
        } else if screen.columns < 60 || screen.rows < 16 {
            #expect(found.tabs.map(\.pane) == [1, 2, 3, 4])
            #expect(found.panes.map(\.pane) == [3])
        }
    }

    @Test("Half zoom gives the focused pane at least half, full zoom everything")
    func zoom() {
        let screen = CellSize(columns: 200, rows: 50)
        let half = layout.arrange(screen: screen, area: area(screen), focus: 1, zoom: .half)
        #expect((half.placed(1)?.frame.width ?? 0) >= 100)
        #expect((half.placed(1)?.frame.height ?? 0) >= 24)
        let full = layout.arrange(screen: screen, area: area(screen), focus: 1, zoom: .full)
        #expect(full.panes.map(\.frame) == [area(screen)])
        #expect(Zoom.normal.next.next.next == .normal)
    }

    @Test("A dragged border stands under the pointer and stops at the minimum")
    func dragging() throws {
        var moved = layout
        let screen = CellSize(columns: 200, rows: 50)
        let first = moved.arrange(screen: screen, area: area(screen), focus: 1)
        let border = try #require(first.divider(at: Point(x: 49, y: 5)) ?? first.dividers.last)
        moved.drag(
            border, to: Point(x: border.rect.x + 7, y: 5), screen: screen, area: area(screen))
        let second = moved.arrange(screen: screen, area: area(screen), focus: 1)
        #expect(second.dividers.contains { $0.rect.x == border.rect.x + 7 })
        moved.drag(border, to: Point(x: 5000, y: 5), screen: screen, area: area(screen))
        check(moved.arrange(screen: screen, area: area(screen), focus: 1), screen)

        let inner = try #require(first.dividers.first { $0.axis == .vertical })
        moved = layout
        moved.drag(inner, to: Point(x: 3, y: 30), screen: screen, area: area(screen))
        let third = moved.arrange(screen: screen, area: area(screen), focus: 1)
        #expect(third.placed(2)?.frame.y == 30)
    }

    @Test("Cells find their pane, tab and border")
    func hits() {
        let screen = CellSize(columns: 120, rows: 40)
        let found = layout.arrange(screen: screen, area: area(screen), focus: 1)
        for placed in found.panes {
            #expect(found.pane(at: Point(x: placed.content.x, y: placed.content.y)) == placed.pane)
        }
        #expect(found.pane(at: Point(x: 119, y: 39)) == nil)
        let narrow = CellSize(columns: 40, rows: 12)
        let tabs = layout.arrange(screen: narrow, area: area(narrow), focus: 2)
        #expect(tabs.tab(at: Point(x: 9, y: 0)) == 2)
        #expect(tabs.tab(at: Point(x: 39, y: 0)) == nil)
    }
}
