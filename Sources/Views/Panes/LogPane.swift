// What happened, newest at the bottom.
// SPDX-License-Identifier: Apache-2.0
import Core

enum LogPane: Pane {
    static let id = PaneID.log

    static func draw(into surface: inout Surface, context: DrawContext, isFocused: Bool) {
        let size = surface.bounds
        let log = context.state.log
        let lines = log.shown
        guard !lines.isEmpty, size.height > 0 else {
            surface.put("Nothing yet.", x: 0, y: 0, style: context.dim)
            return
        }
        // Few lines stand at the top, as in a terminal.
        var filled = 0
        for line in lines.reversed() where filled < size.height {
            filled += context.wrapped(text(line, context), width: max(1, size.width - 2)).count
        }
        var y = min(size.height, filled)
        let bottom = y
        var index = lines.count - 1 - log.scroll
        while y > 0, index >= 0 {
            let line = lines[index]
            let wrapped = context.wrapped(text(line, context), width: max(1, size.width - 2))
            y -= wrapped.count
            for (i, text) in wrapped.enumerated() where y + i >= 0 {
                if i == 0 {
                    surface.put(
                        letter(line.level), x: 0, y: y + i, style: context.theme[style(line.level)])
                }
                let isMatch =
                    !log.query.isEmpty && line.text.lowercased().contains(log.query.lowercased())
                surface.put(
                    text, x: 2, y: y + i,
                    style: isMatch && isFocused
                        ? context.theme[.textFocus]
                        : line.level.rawValue >= LogState.Line.Level.warning.rawValue
                            ? context.theme[style(line.level)] : context.text)
            }
            index -= 1
        }
        if isFocused { context.cursor(x: 0, y: max(0, bottom - 1), on: surface) }
        if log.scroll > 0 {
            surface.put(
                context.symbol("↓", "v") + "\(log.scroll)", x: max(0, size.width - 5), y: 0,
                style: context.theme[.textFocus])
        }
    }

    private static func text(_ line: LogState.Line, _ context: DrawContext) -> String {
        context.state.options.isDeterministic || line.time.isEmpty
            ? line.text : line.time + " " + line.text
    }

    private static func letter(_ level: LogState.Line.Level) -> String {
        switch level {
        case .debug: "·"
        case .info: "i"
        case .warning: "!"
        case .error: "E"
        }
    }

    private static func style(_ level: LogState.Line.Level) -> StyleName {
        switch level {
        case .debug: .textDim
        case .info: .logInfo
        case .warning: .logWarning
        case .error: .logError
        }
    }
}
