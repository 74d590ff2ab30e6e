// The figures of a training by name, and how they are shown together.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Series of figures over steps; long ones are thinned by averaging neighbours.
nonisolated struct TrainCurves: Sendable, Equatable {
    struct Series: Sendable, Equatable {
        /// As the training named it, `usage.3`.
        var name: String
        var isHeldOut: Bool
        var steps: [Double] = []
        var values: [Double] = []
        /// Records per point; doubles when the series is thinned.
        var stride = 1
        /// Records that are not yet a point.
        var pending: [Double] = []

        /// The name without its scale, `usage`.
        var base: String { TrainCurves.split(name).base }
        /// The scale, for figures that have one per scale.
        var scale: Int? { TrainCurves.split(name).scale }
    }

    /// Lines that share an axis.
    struct Group: Sendable, Equatable {
        var name: String
        /// Indices into the series.
        var members: [Int]
        /// Whether it has one line per scale.
        var isPerScale: Bool
    }

    private(set) var series: [Series] = []
    private var indices: [String: Int] = [:]
    /// The newest step of any figure.
    private(set) var lastStep = 0

    /// Points kept per series.
    static let kept = 2048

    var isEmpty: Bool { series.isEmpty }

    /// Adds a record. A step that was logged already begins the figures anew from there: the training
    /// went on from an earlier checkpoint.
    mutating func add(_ record: TrainingRecord) {
        guard record.kind != .sample else { return }
        if record.step < lastStep { forget(after: record.step) }
        lastStep = max(lastStep, record.step)
        for metric in record.values where metric.value.isFinite {
            let isHeldOut = record.kind == .evaluation
            let key = (isHeldOut ? "held-out " : "") + metric.name
            let index =
                indices[key]
                ?? {
                    series.append(Series(name: metric.name, isHeldOut: isHeldOut))
                    indices[key] = series.count - 1
                    return series.count - 1
                }()
            series[index].add(metric.value, step: Double(record.step))
        }
    }

    /// Drops what comes at a step or later.
    private mutating func forget(after step: Int) {
        lastStep = step
        for i in series.indices {
            let count = series[i].steps.firstIndex { $0 >= Double(step) } ?? series[i].steps.count
            series[i].steps.removeLast(series[i].steps.count - count)
            series[i].values.removeLast(series[i].values.count - count)
            series[i].pending = []
        }
    }

    /// `usage.3` → ("usage", 3); `masked_accuracy@0.5` → ("masked_accuracy", nil).
    static func split(_ name: String) -> (base: String, scale: Int?) {
        if let dot = name.lastIndex(of: "."), let scale = Int(name[name.index(after: dot)...]),
            !name[..<dot].contains("@")
        {
            return (String(name[..<dot]), scale)
        }
        if let at = name.firstIndex(of: "@") { return (String(name[..<at]), nil) }
        return (name, nil)
    }

    // MARK: Groups

    /// Figures that are no terms of the loss: they have units of their own.
    private static func standsAlone(_ base: String) -> Bool {
        ["psnr", "accuracy", "rate", "norm", "restarted", "usage", "share", "percent", "degrees"]
            .contains { base.contains($0) }
    }

    /// The loss terms first, then what has one line per scale, then the rest.
    var groups: [Group] {
        var terms = Group(name: "loss terms", members: [], isPerScale: false)
        var perScale: [Group] = []
        var others: [Group] = []
        func add(_ index: Int, _ name: String, _ isPerScale: Bool, to list: inout [Group]) {
            if let found = list.firstIndex(where: { $0.name == name }) {
                list[found].members.append(index)
            } else {
                list.append(Group(name: name, members: [index], isPerScale: isPerScale))
            }
        }
        for (index, one) in series.enumerated() {
            if one.scale != nil {
                let name = one.base + (one.isHeldOut ? ", held out" : "")
                add(index, name + " per scale", true, to: &perScale)
            } else if TrainCurves.standsAlone(one.base) {
                add(index, one.base, false, to: &others)
            } else {
                terms.members.append(index)
            }
        }
        return (terms.members.isEmpty ? [] : [terms]) + perScale + others
    }

    /// The lines of a group.
    func plot(_ group: Group, isLogarithmic: Bool, cursor: Double?) -> LinePlot {
        LinePlot(
            group.members.map { index in
                let one = series[index]
                let name = group.isPerScale ? "\(one.scale ?? 0)" : one.name
                return LinePlot.Line(
                    one.isHeldOut && !group.isPerScale ? name + " held out" : name, one.values,
                    xs: one.steps)
            }, isLogarithmic: isLogarithmic, cursor: cursor, xTitle: "step")
    }

    /// A group with one line per scale as rows of shades over time; nil for another group.
    func heatMap(_ group: Group, cursor: Double?) -> HeatMap? {
        guard group.isPerScale, let first = group.members.first else { return nil }
        let rows = group.members.map { series[$0] }
        let steps = series[first].steps
        let column = cursor.flatMap { cursor in
            steps.lastIndex { $0 <= cursor } ?? (steps.isEmpty ? nil : 0)
        }
        let isPercent = group.name.hasPrefix("usage")
        return HeatMap(
            rows.map(\.values), rowNames: rows.map { "scale \($0.scale ?? 0)" },
            columnValues: steps, columnTitle: "step", range: isPercent ? 0...100 : nil,
            maximumCellWidth: 2, cursor: column.map { HeatMap.Place(row: 0, column: $0) })
    }
}

nonisolated extension TrainCurves.Series {
    fileprivate mutating func add(_ value: Double, step: Double) {
        pending.append(value)
        guard pending.count >= stride else { return }
        steps.append(step)
        values.append(pending.reduce(0, +) / Double(pending.count))
        pending.removeAll()
        guard steps.count > TrainCurves.kept else { return }
        let pairs = steps.count / 2
        var thinned: ([Double], [Double]) = ([], [])
        for i in 0..<pairs {
            thinned.0.append(steps[2 * i + 1])
            thinned.1.append((values[2 * i] + values[2 * i + 1]) / 2)
        }
        (steps, values) = thinned
        stride *= 2
    }
}
