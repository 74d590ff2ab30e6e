// Themes and settings that were edited while the program runs.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension Reducer {
    static func files(_ action: FilesAction, _ state: inout AppState) -> [Effect] {
        switch action {
        case .changed(let paths): return [.reload(paths)]
        case .themes(let names): state.themes = names
        case .settings(let settings): return apply(settings, &state)
        }
        return []
    }

    /// Takes over what can change while the program runs; the rest counts from the next start.
    private static func apply(_ settings: Settings, _ state: inout AppState) -> [Effect] {
        let new = settings.options
        state.bindings = new.bindings
        state.options.bindings = new.bindings
        state.options.isMotionReduced = new.isMotionReduced
        state.options.showsHints = new.showsHints
        state.options.usesASCIIBorders = new.usesASCIIBorders
        let problems = settings.messages
        if let first = problems.first {
            notify(.warning, first, &state)
        } else {
            notify(.info, "The configuration was read again.", &state)
        }
        var effects: [Effect] = problems.map { .log(.warning, $0) }
        if let theme = new.themeName, theme != state.themeName {
            // One that does not exist is told of by who looks for it; the present one stays.
            if state.themes.contains(theme) { state.themeName = theme }
            effects.append(.setTheme(theme))
        }
        return effects
    }
}
