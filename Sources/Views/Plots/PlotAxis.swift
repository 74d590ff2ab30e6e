// From values to places on an axis, linear or logarithmic, and the numbers beside it.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// One axis of a plot.
nonisolated public struct PlotAxis: Sendable, Equatable {
    public let low: Double
    public let high: Double
    /// Equal steps multiply; values of 0 and below then have no place.
    public let isLogarithmic: Bool

    /// The axis from `range`, or from the smallest to the largest of the values that have a place.
    public init(
        _ values: some Sequence<Double>, range: ClosedRange<Double>? = nil,
        isLogarithmic: Bool = false
    ) {
        self.isLogarithmic = isLogarithmic
        var bounds: (low: Double, high: Double)?
        for value in values where value.isFinite && (!isLogarithmic || value > 0) {
            bounds = (min(bounds?.low ?? value, value), max(bounds?.high ?? value, value))
        }
        if let range, range.lowerBound < range.upperBound, !isLogarithmic || range.lowerBound > 0 {
            bounds = (range.lowerBound, range.upperBound)
        }
        let (first, last) = bounds ?? (isLogarithmic ? (0.1, 1) : (0, 1))
        if first < last {
            (low, high) = (first, last)
        } else {
            (low, high) = isLogarithmic ? (first / 2, first * 2) : (first - 0.5, first + 0.5)
        }
    }

    /// Where a value stands, 0 at the low end and 1 at the high end, held inside; nil if it has no place.
    public func share(of value: Double) -> Double? {
        guard value.isFinite, !isLogarithmic || value > 0 else { return nil }
        let share =
            isLogarithmic
            ? (log(value) - log(low)) / (log(high) - log(low)) : (value - low) / (high - low)
        return max(0, min(1, share))
    }

    /// The value at a place from 0 to 1.
    public func value(at share: Double) -> Double {
        isLogarithmic
            ? exp(log(low) + share * (log(high) - log(low))) : low + share * (high - low)
    }

    /// Columns that a number beside an axis takes at most.
    static let labelWidth = 8

    /// A number in at most eight columns: whole ones as they are, others with four digits.
    public static func label(_ value: Double) -> String {
        let size = abs(value)
        if !value.isFinite || size != 0 && (size < 0.001 || size >= 1_000_000) {
            return exponent(value)
        }
        if size >= 1000 { return formatDecimal(value, decimals: 0) }
        return formatDecimal(value, decimals: size >= 100 ? 1 : size >= 10 ? 2 : 3)
    }

    /// A count or a step: no decimals where there are none.
    public static func plainLabel(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e7
            ? formatDecimal(value, decimals: 0) : label(value)
    }

    private static func exponent(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
        var exponent = 0
        var mantissa = value
        while abs(mantissa) >= 10 {
            mantissa /= 10
            exponent += 1
        }
        while abs(mantissa) < 1 {
            mantissa *= 10
            exponent -= 1
        }
        return formatDecimal(mantissa, decimals: 1) + "e\(exponent)"
    }

    /// Draws a vertical rule with numbers at its ends and every few rows between them.
    ///
    /// - Parameter rect: the plot's rectangle; the axis stands left of it.
    func drawVertical(
        into surface: inout Surface, beside rect: Rect, left: Int, theme: Theme, usesASCII: Bool
    ) {
        let style = theme[.plotAxis]
        surface.verticalRule(
            x: rect.x - 1, y: rect.y, height: rect.height, border: usesASCII ? .ascii : .single,
            style: style)
        let parts = max(1, (rect.height - 1) / 4)
        for i in 0...parts {
            let row = (rect.height - 1) * i / parts
            let share = 1 - Double(row) / Double(max(1, rect.height - 1))
            surface.put(
                PlotAxis.label(value(at: share)), x: left, y: rect.y + row,
                width: rect.x - 2 - left, alignment: .trailing, style: style)
        }
    }

    /// Draws numbers at both ends of a row and a title between them.
    func drawHorizontal(
        into surface: inout Surface, x: Int, y: Int, width: Int, title: String, theme: Theme
    ) {
        PlotAxis.drawEnds(
            (low, high), into: &surface, x: x, y: y, width: width, title: title, theme: theme)
    }

    /// Draws the first and the last number of a row and a title between them.
    static func drawEnds(
        _ ends: (Double, Double), into surface: inout Surface, x: Int, y: Int, width: Int,
        title: String, theme: Theme
    ) {
        let style = theme[.plotAxis]
        let (first, last) = (plainLabel(ends.0), plainLabel(ends.1))
        surface.put(last, x: x, y: y, width: width, alignment: .trailing, style: style)
        surface.put(first, x: x, y: y, style: style)
        let room = width - first.count - last.count - 2
        if CharacterWidth.of(title) <= room {
            let left = first.count + 1 + (room - CharacterWidth.of(title)) / 2
            surface.put(title, x: x + left, y: y, style: style)
        }
    }
}
