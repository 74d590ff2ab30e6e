// Symmetry distributions and tables as CSV and JSON. SPDX-License-Identifier: Apache-2.0

/// Writes what a session answered; panes and commands write the same bytes for the same answers.
///
/// Angles are in degrees. Space rotations are written as angle and unit axis.
public struct SymmetryReport: Sendable {
    /// Where the inputs come from.
    public var title: String
    public var settings: SymmetrySettings

    public init(title: String, settings: SymmetrySettings) {
        self.title = title
        self.settings = settings
    }

    // MARK: Charts

    /// Bins as CSV: `bin_start,bin_end,count,share,fitted,truth`; the last two only where known.
    public static func csv(_ chart: SymmetryChart) -> String {
        var columns = ["bin_start", "bin_end", "count", "share"]
        if chart.fitted != nil { columns.append("fitted") }
        if chart.truth != nil { columns.append("truth") }
        var text = columns.joined(separator: ",") + "\n"
        for bin in chart.histogram.counts.indices {
            let bounds = chart.histogram.bounds(of: bin)
            var cells = [
                number(bounds.lowerBound), number(bounds.upperBound),
                String(chart.histogram.counts[bin]), number(chart.histogram.share(of: bin)),
            ]
            if let curve = chart.fitted { cells.append(number(curve.shares[bin])) }
            if let curve = chart.truth { cells.append(number(curve.shares[bin])) }
            text += cells.joined(separator: ",") + "\n"
        }
        return text
    }

    /// A distribution with its settings, fit, poses and chart as one JSON document.
    public func json(_ distribution: SymmetryDistribution, chart: SymmetryChart) -> JSONValue {
        let fit = distribution.fit
        var fitted: [(String, JSONValue)] = [
            ("law", Self.json(fit.law)), ("level", .number(fit.level)),
            ("center", fit.center.map(Self.json) ?? .null),
            ("concentration", .number(fit.concentration)),
            ("fullRotation", .bool(fit.isFullRotation)),
            ("noiseFloor", fit.noiseFloor.map(JSONValue.number) ?? .null),
            ("spread", .number(fit.spread)),
        ]
        if let purity = distribution.purity { fitted.append(("neighbourPurity", .number(purity))) }
        return Self.object([
            ("title", .string(title)), ("group", .string(distribution.group.rawValue)),
            ("scope", .string(Self.name(distribution.scope))), ("settings", settingsJSON),
            ("fit", Self.object(fitted)),
            ("truth", distribution.truth.map(Self.json) ?? .null),
            ("inputs", .array(distribution.inputs.map(JSONValue.integer))),
            ("raw", .array(distribution.raw.map(Self.json))),
            ("corrected", .array(distribution.corrected.map(Self.json))),
            ("bins", .array(Self.bins(chart))),
        ])
    }

    private static func bins(_ chart: SymmetryChart) -> [JSONValue] {
        chart.histogram.counts.indices.map { bin in
            let bounds = chart.histogram.bounds(of: bin)
            return object([
                ("start", .number(bounds.lowerBound)), ("end", .number(bounds.upperBound)),
                ("count", .integer(chart.histogram.counts[bin])),
                ("share", .number(chart.histogram.share(of: bin))),
                ("fitted", chart.fitted.map { .number($0.shares[bin]) } ?? .null),
                ("truth", chart.truth.map { .number($0.shares[bin]) } ?? .null),
            ])
        }
    }

    // MARK: Tables

    /// One line for every row: `input,name,label,pose,corrected,level,center,score,outside`, and
    /// the axes of space rotations.
    public static func csv(
        _ rows: [SymmetryRow], group: SymmetryGroup, name: (Int) -> String,
        label: (Int) -> String?
    ) -> String {
        var text = "input,name,label,pose"
        if group == .so3 { text += ",pose_x,pose_y,pose_z" }
        text += ",corrected"
        if group == .so3 { text += ",corrected_x,corrected_y,corrected_z" }
        text += ",level,center,score,outside\n"
        for row in rows {
            var cells = [
                String(row.input), quoted(name(row.input)), quoted(label(row.input) ?? ""),
            ]
            cells += cellsOf(row.pose) + cellsOf(row.corrected)
            cells += [
                number(row.level), row.center.map { number($0.degrees) } ?? "",
                number(row.outsideScore), row.isOutside ? "1" : "0",
            ]
            text += cells.joined(separator: ",") + "\n"
        }
        return text
    }

    /// Rows and figures with the settings as one JSON document.
    public func json(
        _ table: SymmetryTable, name: (Int) -> String, label: (Int) -> String?
    ) -> JSONValue {
        Self.object([
            ("title", .string(title)), ("settings", settingsJSON),
            (
                "figures",
                .array(
                    table.figures.map {
                        Self.object([
                            ("name", .string($0.name)), ("value", .number($0.value)),
                            ("unit", .string($0.unit)),
                        ])
                    })
            ),
            (
                "rows",
                .array(
                    table.rows.map { row in
                        Self.object([
                            ("input", .integer(row.input)), ("name", .string(name(row.input))),
                            ("label", label(row.input).map(JSONValue.string) ?? .null),
                            ("pose", Self.json(row.pose)), ("corrected", Self.json(row.corrected)),
                            ("level", .number(row.level)),
                            ("center", row.center.map(Self.json) ?? .null),
                            ("score", .number(row.outsideScore)), ("outside", .bool(row.isOutside)),
                        ])
                    })
            ),
        ])
    }

    // MARK: Pieces

    /// The settings by the names that commands take.
    public var settingsJSON: JSONValue {
        var members: [(String, JSONValue)] = [
            ("k", .integer(settings.neighbours)), ("metric", .string(settings.metric.rawValue)),
            ("estimator", .string(settings.estimator.rawValue)),
            ("mean", .string(settings.mean.name)), ("family", .string(settings.family.rawValue)),
            ("bandwidth", .number(settings.bandwidth)), ("path", .string(settings.path.rawValue)),
            ("look", .string(settings.look.rawValue)),
        ]
        if case .tukey(let c?) = settings.mean { members.append(("c", .number(c))) }
        if case .component(let step) = settings.neighbourhood {
            members.append(("componentStep", .number(step)))
        }
        switch settings.outside {
        case .support: members.append(("outside", .string("support")))
        case .density(let quantile):
            members.append(("outside", .string("density")))
            members.append(("quantile", .number(quantile)))
        }
        return Self.object(members)
    }

    /// The name of a scope, `neighbours of 17`.
    public static func name(_ scope: SymmetryScope) -> String {
        switch scope {
        case .input(let i): "input \(i)"
        case .neighbours(let i): "neighbours of \(i)"
        case .label(let c): "label \(c)"
        case .all: "all"
        }
    }

    static func json(_ pose: SymmetryPose) -> JSONValue {
        switch pose {
        case .angle(let a): return .number(SymmetryPose.wrap(a))
        case .rotation(let r):
            let n = r.axis
            return object([
                ("angle", .number(r.degrees)),
                ("axis", .array([.number(n.x), .number(n.y), .number(n.z)])),
            ])
        }
    }

    static func json(_ law: SymmetryLaw) -> JSONValue {
        var members: [(String, JSONValue)] = [("family", .string(law.familyTitle))]
        switch law {
        case .none, .haar: break
        case .uniform(let h): members.append(("halfWidth", .number(h)))
        case .gaussian(let s): members.append(("sigma", .number(s)))
        case .cyclic(let n): members.append(("order", .integer(n)))
        case .empirical(_, let b): members.append(("bandwidth", .number(b)))
        case .axial(let axis, let h):
            members.append(("axis", .array([.number(axis.x), .number(axis.y), .number(axis.z)])))
            members.append(("halfWidth", .number(h)))
        }
        return object(members)
    }

    private static func cellsOf(_ pose: SymmetryPose) -> [String] {
        switch pose {
        case .angle(let a): return [number(SymmetryPose.wrap(a))]
        case .rotation(let r):
            let n = r.axis
            return [number(r.degrees), number(n.x), number(n.y), number(n.z)]
        }
    }

    private static func object(_ members: [(String, JSONValue)]) -> JSONValue {
        .object(members.map { JSONValue.Member(key: $0.0, value: $0.1) })
    }

    /// Six significant digits at most; empty for what is not finite.
    private static func number(_ value: Double) -> String {
        guard value.isFinite else { return "" }
        let scaled = (value * 1_000_000).rounded() / 1_000_000
        return scaled == scaled.rounded() && abs(scaled) < 1e15
            ? String(Int(scaled)) : "\(scaled)"
    }

    private static func quoted(_ text: String) -> String {
        guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
