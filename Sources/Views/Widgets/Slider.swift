// A number in a range, moved by keys, mouse and wheel. SPDX-License-Identifier: Apache-2.0

/// A labelled slider: `top-p  ━━━━━━●────  0.95`.
nonisolated public struct Slider: Sendable, Equatable {
    public var label: String
    public private(set) var value: Double
    public let range: ClosedRange<Double>
    public let step: Double
    /// Columns of the label.
    public var labelWidth: Int
    /// Digits after the point.
    public var decimals: Int
    /// Draws with `=`, `-` and `O` only.
    public var usesASCII = false

    public init(
        _ label: String, value: Double, in range: ClosedRange<Double>, step: Double,
        labelWidth: Int = 12, decimals: Int = 2
    ) {
        self.label = label
        self.range = range
        self.step = step
        self.labelWidth = labelWidth
        self.decimals = decimals
        self.value = range.lowerBound
        set(value)
    }

    /// Takes the nearest step inside of the range; NaN is the lower bound.
    public mutating func set(_ new: Double) {
        guard !new.isNaN else {
            value = range.lowerBound
            return
        }
        let clamped = min(max(new, range.lowerBound), range.upperBound)
        let steps = step > 0 ? ((clamped - range.lowerBound) / step).rounded() : 0
        value =
            step > 0 ? min(range.upperBound, range.lowerBound + steps * step) : clamped
    }

    /// Takes the keys for values: arrows and `+ -` by a step, `H L` by ten, Home and End.
    /// Returns whether it was one.
    public mutating func handle(_ key: KeyPress) -> Bool {
        guard key.modifiers.isEmpty else { return false }
        switch key.code {
        case .left, .character("-"): set(value - step)
        case .right, .character("+"): set(value + step)
        case .character("H"): set(value - 10 * step)
        case .character("L"): set(value + 10 * step)
        case .home: set(range.lowerBound)
        case .end: set(range.upperBound)
        default: return false
        }
        return true
    }

    /// Takes a click or drag on the track and the wheel; returns whether it was for the slider.
    public mutating func handle(_ mouse: MouseEvent, rect: Rect) -> Bool {
        switch mouse.kind {
        case .wheelUp where rect.contains(mouse.cell): set(value + step)
        case .wheelDown where rect.contains(mouse.cell): set(value - step)
        case .press where rect.contains(mouse.cell), .drag:
            guard mouse.button == .left else { return false }
            let track = track(rect)
            guard track.count > 1 else { return false }
            let x = min(max(mouse.cell.x, track.lowerBound), track.upperBound - 1)
            let share = Double(x - track.lowerBound) / Double(track.count - 1)
            set(range.lowerBound + share * (range.upperBound - range.lowerBound))
        default: return false
        }
        return true
    }

    public func draw(into surface: inout Surface, rect: Rect, theme: Theme, isFocused: Bool) {
        guard !rect.isEmpty else { return }
        let style = isFocused ? theme[.textFocus] : theme[.text]
        surface.put(label, x: rect.x, y: rect.y, width: min(labelWidth, rect.width), style: style)
        let track = track(rect)
        if track.count > 1 {
            let extent = range.upperBound - range.lowerBound
            let share = extent > 0 ? (value - range.lowerBound) / extent : 0
            let knob = track.lowerBound + Int((share * Double(track.count - 1)).rounded())
            for x in track {
                let isDone = x < knob
                surface.put(
                    usesASCII ? (isDone ? "=" : "-") : (isDone ? "━" : "─"), x: x, y: rect.y,
                    style: theme[isDone ? .jobBar : .jobBarTrack])
            }
            surface.put(usesASCII ? "O" : "●", x: knob, y: rect.y, style: style)
        }
        let width = min(valueWidth, rect.width)
        surface.put(
            text, x: rect.maxX - width, y: rect.y, width: width, alignment: .trailing, style: style)
    }

    /// The value as shown.
    public var text: String { formatDecimal(value, decimals: decimals) }

    private var valueWidth: Int {
        max(
            formatDecimal(range.lowerBound, decimals: decimals).count,
            formatDecimal(range.upperBound, decimals: decimals).count) + 1
    }

    /// The columns of the track, for whoever takes clicks on it; nil where it has no room.
    func trackColumns(_ rect: Rect) -> Range<Int>? {
        let columns = track(rect)
        return columns.count > 1 ? columns : nil
    }

    private func track(_ rect: Rect) -> Range<Int> {
        let start = rect.x + labelWidth + 1
        return start..<max(start, rect.maxX - valueWidth - 1)
    }
}

/// A number with a fixed count of digits after the point.
nonisolated func formatDecimal(_ value: Double, decimals: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    var scale = 1.0
    for _ in 0..<max(0, decimals) { scale *= 10 }
    let scaled = (abs(value) * scale).rounded()
    guard scaled < 1e15 else { return "\(value)" }
    let whole = Int(scaled)
    let sign = value < 0 && whole > 0 ? "-" : ""
    guard decimals > 0 else { return sign + String(whole) }
    let digits = String(whole)
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
}
