// How symmetry values are said in words. SPDX-License-Identifier: Apache-2.0
import Core

nonisolated enum SymmetryText {
    /// One decimal and the degree sign: `−12.4°`.
    static func degrees(_ value: Double, decimals: Int = 1) -> String {
        guard value.isFinite else { return "—" }
        return formatDecimal(value, decimals: decimals).replacing("-", with: "−") + "°"
    }

    /// With its sign: `+37.0°`.
    static func signed(_ value: Double, decimals: Int = 1) -> String {
        let text = degrees(value, decimals: decimals)
        return value >= 0 && value.isFinite ? "+" + text : text
    }

    /// A plane pose by its signed angle, a space pose by angle and axis.
    static func pose(_ pose: SymmetryPose) -> String {
        switch pose {
        case .angle(let a): return signed(SymmetryPose.wrap(a))
        case .rotation(let r):
            let n = r.axis
            func part(_ x: Double) -> String {
                formatDecimal(x, decimals: 2).replacing("-", with: "−")
            }
            return "\(degrees(r.degrees)) about (\(part(n.x)) \(part(n.y)) \(part(n.z)))"
        }
    }

    static func law(_ law: SymmetryLaw) -> String {
        switch law {
        case .none: return "no rotation"
        case .uniform(let h): return h >= 180 ? "full rotation" : "uniform ±\(degrees(h))"
        case .gaussian(let s): return "normal σ \(degrees(s))"
        case .cyclic(let n): return "C\(n)"
        case .empirical(_, let b): return "kernels of \(degrees(b, decimals: 0))"
        case .axial(_, let h): return "about one axis ±\(degrees(h))"
        case .haar: return "uniform on SO(3)"
        }
    }

    static func mean(_ mean: SymmetryMean) -> String {
        switch mean {
        case .none: "none (raw)"
        case .frechet: "Fréchet"
        case .tukey(nil): "Tukey, adaptive c"
        case .tukey(let c?): "Tukey, c \(degrees(c, decimals: 0))"
        }
    }

    static func metric(_ metric: SymmetryMetric) -> String {
        switch metric {
        case .cosine: "cosine"
        case .centeredCosine: "centred cosine"
        case .euclidean: "Euclidean"
        }
    }

    static func estimator(_ estimator: SymmetryEstimator) -> String {
        switch estimator {
        case .mle: "maximum"
        case .mleOutliers: "maximum, no outliers"
        case .moments: "moments"
        case .momentsOutliers: "moments, no outliers"
        case .gaussianHalfNormal: "half-normal"
        case .gaussianHalfNormalOutliers: "half-normal, no outl."
        case .gaussian: "normal, signed"
        case .cyclic: "cyclic C1…C8"
        }
    }

    static func outside(_ rule: OutsideRule) -> String {
        switch rule {
        case .support: "beyond the level"
        case .density(let q): "rarest \(formatDecimal(100 * q, decimals: 0)) %"
        }
    }

    static func path(_ path: SymmetryPath) -> String {
        switch path {
        case .neighbours: "neighbours"
        case .network: "networks Θ, Γ"
        }
    }

    static func look(_ look: SymmetryLook) -> String {
        switch look {
        case .first: "first look"
        case .second: "second look"
        }
    }

    /// A caption under a picture.
    static func form(_ form: SymmetryForm) -> String {
        switch form {
        case .input: "input"
        case .canonical: "canon."
        case .naturalCanonical: "natural"
        case .reconstruction: "recon."
        case .standardized: "upright"
        case .orbit(let d): d == 0 || d == 180 ? degrees(d, decimals: 0) : signed(d, decimals: 0)
        case .neighbour(let n): "nb \(n + 1)"
        }
    }

    /// The same where pictures are small.
    static func short(_ form: SymmetryForm) -> String {
        switch form {
        case .input: "in"
        case .canonical: "can"
        case .naturalCanonical: "nat"
        case .reconstruction: "rec"
        case .standardized: "up"
        case .orbit, .neighbour: self.form(form)
        }
    }

    static func fileName(_ form: SymmetryForm) -> String {
        switch form {
        case .input: "input"
        case .canonical: "canonical"
        case .naturalCanonical: "natural-canonical"
        case .reconstruction: "reconstruction"
        case .standardized: "standardized"
        case .orbit(let d): "orbit\(Int(d))"
        case .neighbour(let n): "neighbour\(n + 1)"
        }
    }

    /// Whose poses a chart shows.
    static func title(_ scope: SymmetryScope, _ state: SymmetryState) -> String {
        switch scope {
        case .input(let i): return "Pose of \(state.name(i))"
        case .neighbours(let i): return "Neighbours of \(state.name(i))"
        case .label(let c): return "Class \(state.facts?.labelName(c) ?? "\(c)")"
        case .all: return "All inputs"
        }
    }

    /// Level, and its noise floor.
    static func level(_ fit: SymmetryFit) -> [String] {
        ["level \(degrees(fit.level))"]
            + (fit.noiseFloor.map { ["noise floor \(degrees($0))"] } ?? [])
    }

    static func center(_ fit: SymmetryFit) -> String {
        if fit.isFullRotation { return "full rotation: no centre" }
        return fit.center.map { "centre \(pose($0))" } ?? "no centre"
    }

    /// What was found, in three lines: law and level, centre, how.
    static func fitParts(
        _ distribution: SymmetryDistribution, _ side: SymmetrySideState
    ) -> [[String]] {
        let fit = distribution.fit
        var first = level(fit) + [law(fit.law)]
        if let truth = distribution.truth { first.append("truth " + law(truth)) }
        var second = [
            center(fit), "concentration \(formatDecimal(fit.concentration, decimals: 2))",
        ]
        if let purity = distribution.purity {
            second.append("purity \(formatDecimal(100 * purity, decimals: 0)) %")
        }
        let settings = side.settings
        let third =
            [
                "k \(settings.neighbours)", metric(settings.metric), estimator(settings.estimator),
                "mean " + mean(settings.mean),
            ] + (settings.look == .first ? [] : [look(settings.look)])
        return [first, second, third]
    }

    static func fitLines(
        _ distribution: SymmetryDistribution, _ side: SymmetrySideState
    ) -> [String] {
        fitParts(distribution, side).map { $0.joined(separator: " · ") }
    }

    /// A figure of the whole set: `symmetry error 11.6°`.
    static func figure(_ figure: SymmetryFigure) -> String {
        let unit = figure.unit == "%" ? " %" : figure.unit
        return "\(figure.name) \(formatDecimal(figure.value, decimals: 1))\(unit)"
    }

    /// A share in percent with one decimal.
    static func share(_ value: Double) -> String {
        formatDecimal(100 * value, decimals: 1) + " %"
    }

    /// As many whole parts as there is room for.
    static func joined(_ parts: [String], width: Int) -> String {
        var text = ""
        for part in parts {
            let longer = text.isEmpty ? part : text + " · " + part
            if CharacterWidth.of(longer) > width, !text.isEmpty { break }
            text = longer
        }
        return CharacterWidth.truncate(text, to: width)
    }

    /// A setting in at most 13 columns, for narrow panes.
    static func short(_ estimator: SymmetryEstimator) -> String {
        switch estimator {
        case .mle: "maximum"
        case .mleOutliers: "max. −outl."
        case .moments: "moments"
        case .momentsOutliers: "mom. −outl."
        case .gaussianHalfNormal: "half-normal"
        case .gaussianHalfNormalOutliers: "half-n. −outl."
        case .gaussian: "normal"
        case .cyclic: "cyclic"
        }
    }

    static func short(_ mean: SymmetryMean) -> String {
        switch mean {
        case .none: "none (raw)"
        case .frechet: "Fréchet"
        case .tukey(nil): "Tukey auto"
        case .tukey(let c?): "Tukey \(degrees(c, decimals: 0))"
        }
    }

    static func short(_ rule: OutsideRule) -> String {
        switch rule {
        case .support: "> level"
        case .density(let q): "rarest \(formatDecimal(100 * q, decimals: 0)) %"
        }
    }
}
