// Panes in a split tree: where each stands at any screen size.
// SPDX-License-Identifier: Apache-2.0

/// How much room the focused pane takes.
nonisolated public enum Zoom: Sendable, Hashable, CaseIterable {
    case normal
    /// At least half of every split it is in.
    case half
    /// All of the area.
    case full

    /// The next one in the cycle.
    public var next: Zoom {
        switch self {
        case .normal: .half
        case .half: .full
        case .full: .normal
        }
    }
}

/// A tree of splits with panes as leaves; sizes are weights, kept above the panes' minimum.
///
/// Neighbouring panes share one line of border: their frames overlap by one cell.
nonisolated public struct Layout<Pane: Hashable & Sendable>: Sendable {
    public enum Axis: Sendable, Hashable {
        /// Children stand side by side.
        case horizontal
        /// Children stand one above the other.
        case vertical
    }

    public struct Branch: Sendable {
        public var node: Node
        /// Share of the room, in any unit.
        public var weight: Double

        public init(_ node: Node, weight: Double = 1) {
            self.node = node
            self.weight = weight
        }
    }

    public indirect enum Node: Sendable {
        /// A pane with the least size of its inside.
        case pane(Pane, minimum: CellSize)
        case split(Axis, [Branch])
    }

    /// A pane's place.
    public struct Placed: Sendable, Hashable {
        public var pane: Pane
        /// With the border.
        public var frame: Rect
        /// Without it: what the pane draws in.
        public var content: Rect { frame.inset() }
    }

    /// A border that can be dragged.
    public struct Divider: Sendable, Hashable {
        public var rect: Rect
        public var axis: Axis
        /// Indices from the root to the split, and the child before the border.
        var path: [Int]
        var index: Int
    }

    /// A tab of the narrow form.
    public struct Tab: Sendable, Hashable {
        public var pane: Pane
        public var rect: Rect
    }

    /// Where everything stands at one size.
    public struct Arrangement: Sendable, Hashable {
        public var panes: [Placed] = []
        public var dividers: [Divider] = []
        /// One pane at a time; all of them by name. Empty in the wide form.
        public var tabs: [Tab] = []
        /// Nothing fits: show "window too small" and nothing else.
        public var isTooSmall = false

        public func placed(_ pane: Pane) -> Placed? { panes.first { $0.pane == pane } }

        /// The pane under a cell, border included.
        public func pane(at point: Point) -> Pane? {
            panes.first { $0.content.contains(point) }?.pane
                ?? panes.first { $0.frame.contains(point) }?.pane
        }

        public func divider(at point: Point) -> Divider? {
            dividers.first { $0.rect.contains(point) }
        }

        public func tab(at point: Point) -> Pane? { tabs.first { $0.rect.contains(point) }?.pane }
    }

    public private(set) var root: Node

    public init(_ root: Node) { self.root = root }

    /// Screens smaller than this show one pane at a time.
    public static var smallestWide: CellSize { CellSize(columns: 60, rows: 16) }
    /// Screens smaller than this show nothing.
    public static var smallestUsable: CellSize { CellSize(columns: 20, rows: 6) }

    /// The weights of all branches, outer ones first.
    public var weights: [Double] { Self.weights(of: root) }

    private static func weights(of node: Node) -> [Double] {
        guard case .split(_, let branches) = node else { return [] }
        return branches.map(\.weight) + branches.flatMap { weights(of: $0.node) }
    }

    /// The same tree with other weights; itself where these are not of such a tree.
    public func with(weights: [Double]) -> Layout {
        guard weights.count == self.weights.count,
            weights.allSatisfy({ $0.isFinite && (1e-3...1e6).contains($0) })
        else { return self }
        var rest = weights[...]
        return Layout(Self.weighted(root, &rest))
    }

    private static func weighted(_ node: Node, _ weights: inout ArraySlice<Double>) -> Node {
        guard case .split(let axis, var branches) = node else { return node }
        for i in branches.indices { branches[i].weight = weights.popFirst() ?? 1 }
        for i in branches.indices { branches[i].node = weighted(branches[i].node, &weights) }
        return .split(axis, branches)
    }

    /// All panes in reading order.
    public var panes: [Pane] { Self.panes(of: root) }

    private static func panes(of node: Node) -> [Pane] {
        switch node {
        case .pane(let pane, _): [pane]
        case .split(_, let branches): branches.flatMap { panes(of: $0.node) }
        }
    }

    /// Places the panes.
    ///
    /// - Parameters:
    ///   - screen: the whole screen; decides between the wide form, tabs and nothing.
    ///   - area: what the panes get of it (without bars).
    ///   - focus: the pane that `zoom` is about and that the tab form shows.
    ///   - tabWidth: columns of a pane's tab.
    public func arrange(
        screen: CellSize, area: Rect, focus: Pane, zoom: Zoom = .normal,
        tabWidth: (Pane) -> Int = { _ in 8 }
    ) -> Arrangement {
        var result = Arrangement()
        let area = area.intersection(Rect(size: screen))
        if screen.columns < Self.smallestUsable.columns || screen.rows < Self.smallestUsable.rows
            || area.isEmpty
        {
            result.isTooSmall = true
            return result
        }
        let all = panes
        let shown = all.contains(focus) ? focus : all.first
        guard let shown else { return result }
        let least = Self.minimum(of: root)
        let isNarrow =
            screen.columns < Self.smallestWide.columns || screen.rows < Self.smallestWide.rows
            || least.columns > area.width || least.rows > area.height
        if isNarrow {
            let (bar, rest) = area.splitTop(1)
            var x = bar.x
            for pane in all {
                let rect = Rect(x: x, y: bar.y, width: tabWidth(pane), height: 1)
                result.tabs.append(Tab(pane: pane, rect: rect.intersection(bar)))
                x += rect.width
            }
            result.panes = [Placed(pane: shown, frame: rest)]
        } else if zoom == .full {
            result.panes = [Placed(pane: shown, frame: area)]
        } else {
            place(root, in: area, path: [], favouring: zoom == .half ? shown : nil, into: &result)
        }
        return result
    }

    private func place(
        _ node: Node, in frame: Rect, path: [Int], favouring focus: Pane?,
        into result: inout Arrangement
    ) {
        guard case .split(let axis, let branches) = node else {
            if case .pane(let pane, _) = node {
                result.panes.append(Placed(pane: pane, frame: frame))
            }
            return
        }
        let sizes = Self.sizes(of: branches, axis: axis, in: frame, favouring: focus)
        var offset = 0
        for (index, branch) in branches.enumerated() {
            let size = sizes[index]
            let part =
                axis == .horizontal
                ? Rect(x: frame.x + offset, y: frame.y, width: size, height: frame.height)
                : Rect(x: frame.x, y: frame.y + offset, width: frame.width, height: size)
            place(branch.node, in: part, path: path + [index], favouring: focus, into: &result)
            offset += size - 1
            if index + 1 < branches.count {
                let line =
                    axis == .horizontal
                    ? Rect(x: frame.x + offset, y: frame.y, width: 1, height: frame.height)
                    : Rect(x: frame.x, y: frame.y + offset, width: frame.width, height: 1)
                result.dividers.append(Divider(rect: line, axis: axis, path: path, index: index))
            }
        }
    }
}

// MARK: Sizes

nonisolated extension Layout {
    /// The least frame of a node.
    static func minimum(of node: Node) -> CellSize {
        switch node {
        case .pane(_, let inside):
            return CellSize(columns: inside.columns + 2, rows: inside.rows + 2)
        case .split(let axis, let branches):
            let all = branches.map { minimum(of: $0.node) }
            let overlap = max(0, all.count - 1)
            let columns = all.map(\.columns)
            let rows = all.map(\.rows)
            return axis == .horizontal
                ? CellSize(columns: columns.reduce(0, +) - overlap, rows: rows.max() ?? 0)
                : CellSize(columns: columns.max() ?? 0, rows: rows.reduce(0, +) - overlap)
        }
    }

    /// Frame extents of a split's children along its axis; they overlap by one cell.
    static func sizes(of branches: [Branch], axis: Axis, in frame: Rect, favouring focus: Pane?)
        -> [Int]
    {
        let minima = branches.map { branch -> Int in
            let least = minimum(of: branch.node)
            return axis == .horizontal ? least.columns : least.rows
        }
        var weights = branches.map { max(0.001, $0.weight) }
        if let focus, let i = branches.firstIndex(where: { panes(of: $0.node).contains(focus) }) {
            let others = weights.reduce(0, +) - weights[i]
            weights[i] = max(weights[i], others)
        }
        let room = (axis == .horizontal ? frame.width : frame.height) + branches.count - 1
        return distribute(room, weights: weights, minima: minima)
    }

    /// Whole sizes by weight, none under its minimum as long as the room allows.
    static func distribute(_ room: Int, weights: [Double], minima: [Int]) -> [Int] {
        var fixed = [Int?](repeating: nil, count: weights.count)
        // Children that would fall under their minimum get exactly that; repeat with the rest.
        while true {
            let left = room - fixed.compactMap { $0 }.reduce(0, +)
            let open = weights.indices.filter { fixed[$0] == nil }
            let total = open.reduce(0.0) { $0 + weights[$1] }
            let short = open.filter { Double(left) * weights[$0] / total < Double(minima[$0]) }
            if short.isEmpty || short.count == open.count {
                if short.count == open.count { for i in open { fixed[i] = minima[i] } }
                break
            }
            for i in short { fixed[i] = minima[i] }
        }
        let left = room - fixed.compactMap { $0 }.reduce(0, +)
        let open = weights.indices.filter { fixed[$0] == nil }
        let total = open.reduce(0.0) { $0 + weights[$1] }
        var sizes = fixed.map { $0 ?? 0 }
        var sum = 0.0
        var given = 0
        for i in open {
            sum += weights[i]
            let upTo = Int((Double(left) * sum / total).rounded())
            sizes[i] = upTo - given
            given = upTo
        }
        // Rounding may have taken a cell too many from one; what is left over goes to the last.
        for i in open where sizes[i] < minima[i] {
            if let giver = open.max(by: { sizes[$0] - minima[$0] < sizes[$1] - minima[$1] }) {
                let need = minima[i] - sizes[i]
                sizes[giver] -= need
                sizes[i] += need
            }
        }
        if let last = sizes.indices.last {
            sizes[last] += room - sizes.reduce(0, +)
        }
        return sizes
    }

    /// Moves a border to a cell; neighbours keep their minimum.
    public mutating func drag(_ divider: Divider, to point: Point, screen: CellSize, area: Rect) {
        root = Self.dragged(
            root, divider.path[...], index: divider.index, to: point,
            in: area.intersection(Rect(size: screen)))
    }

    private static func dragged(
        _ node: Node, _ path: ArraySlice<Int>, index: Int, to point: Point, in frame: Rect
    ) -> Node {
        guard case .split(let axis, var branches) = node else { return node }
        var sizes = sizes(of: branches, axis: axis, in: frame, favouring: nil)
        if let step = path.first {
            guard branches.indices.contains(step) else { return node }
            let offset = sizes[..<step].reduce(0) { $0 + $1 - 1 }
            let part =
                axis == .horizontal
                ? Rect(x: frame.x + offset, y: frame.y, width: sizes[step], height: frame.height)
                : Rect(x: frame.x, y: frame.y + offset, width: frame.width, height: sizes[step])
            branches[step].node = dragged(
                branches[step].node, path.dropFirst(), index: index, to: point, in: part)
            return .split(axis, branches)
        }
        guard index + 1 < branches.count else { return node }
        let start = sizes[..<index].reduce(0) { $0 + $1 - 1 }
        let wanted = (axis == .horizontal ? point.x - frame.x : point.y - frame.y) - start + 1
        let pair = sizes[index] + sizes[index + 1]
        let minima = [branches[index], branches[index + 1]].map { branch -> Int in
            let least = minimum(of: branch.node)
            return axis == .horizontal ? least.columns : least.rows
        }
        guard pair >= minima[0] + minima[1] else { return node }
        sizes[index] = min(max(wanted, minima[0]), pair - minima[1])
        sizes[index + 1] = pair - sizes[index]
        for i in branches.indices { branches[i].weight = Double(sizes[i]) }
        return .split(axis, branches)
    }
}
