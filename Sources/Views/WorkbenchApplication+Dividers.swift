// Dividers with the keys: the focused pane grows or shrinks. SPDX-License-Identifier: Apache-2.0

nonisolated enum PaneResize: Sendable {
    case wider, narrower, higher, lower
}

extension WorkbenchApplication {
    /// Moves the border that gives the focused pane more or less room.
    func resizePane(_ change: PaneResize) {
        let layout = ScreenLayout(state, size: state.layout.size)
        let slot = ScreenLayout.slot(of: state.layout.focus, form: layout.form)
        guard let placed = layout.arrangement.panes.first(where: { $0.pane == slot }) else {
            send(.notice(.info, "There is only one pane at this size of the window."))
            return
        }
        let isHorizontal = change == .wider || change == .narrower
        let axis: Layout<LayoutSlot>.Axis = isHorizontal ? .horizontal : .vertical
        let frame = placed.frame
        let dividers = layout.arrangement.dividers.filter { $0.axis == axis }
        // The border after the pane, else the one before it.
        let after = dividers.first {
            isHorizontal
                ? $0.rect.x == frame.maxX - 1
                    && overlaps($0.rect.y, $0.rect.maxY, frame.y, frame.maxY)
                : $0.rect.y == frame.maxY - 1
                    && overlaps($0.rect.x, $0.rect.maxX, frame.x, frame.maxX)
        }
        let before = dividers.first {
            isHorizontal
                ? $0.rect.x == frame.x && overlaps($0.rect.y, $0.rect.maxY, frame.y, frame.maxY)
                : $0.rect.y == frame.y && overlaps($0.rect.x, $0.rect.maxX, frame.x, frame.maxX)
        }
        guard let divider = after ?? before else {
            send(.notice(.info, "This pane takes all of the room in that direction."))
            return
        }
        let grows = change == .wider || change == .higher
        let step = (isHorizontal ? 2 : 1) * (grows == (after != nil) ? 1 : -1)
        let point = Point(
            x: divider.rect.x + (isHorizontal ? step : 0),
            y: divider.rect.y + (isHorizontal ? 0 : step))
        var tree = layout.tree
        tree.drag(divider, to: point, screen: state.layout.size, area: layout.area)
        send(.layout(.setTree(layout.form, tree)))
    }

    private func overlaps(_ a: Int, _ b: Int, _ c: Int, _ d: Int) -> Bool {
        max(a, c) < min(b, d)
    }
}
