// The one place where the state changes.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Turns a state and an action into the next state and the work to be done.
nonisolated enum Reducer {
    static func reduce(_ state: inout AppState, _ action: Action) -> [Effect] {
        guard Remembered.isNeeded(for: action) else { return perform(action, &state) }
        let before = Remembered(state)
        let effects = perform(action, &state)
        return effects + before.compare(action, &state)
    }

    private static func perform(_ action: Action, _ state: inout AppState) -> [Effect] {
        switch action {
        case .command(let command): return command.apply(to: &state)
        case .key(let press): return key(press, &state)
        case .paste(let text): return paste(text, &state)
        case .focus(let pane):
            focus(pane, &state)
            switch pane {
            case .symmetry: return enterSymmetry(&state)
            case .train: return [.listTrainings]
            default: return []
            }
        case .layout(let action):
            layout(action, &state)
            return []
        case .overlay(let action): return overlay(action, &state)
        case .models(let action): return models(action, &state)
        case .schedule(let action): return schedule(action, &state)
        case .run(let action): return run(action, &state)
        case .preview(let action):
            preview(action, &state)
            return []
        case .columns(let action): return columns(action, &state)
        case .gallery(let item):
            select(item, &state)
            return []
        case .mask(let action): return mask(action, &state)
        case .tokens(let action):
            tokens(action, &state)
            return []
        case .symmetry(let action): return symmetry(action, &state)
        case .jobs(let action): return jobs(action, &state)
        case .log(let action):
            log(action, &state)
            return []
        case .train(let action): return train(action, &state)
        case .file(let action): return file(action, &state)
        case .session(let action): return session(action, &state)
        case .notice(let level, let text):
            notify(level, text, &state)
            return []
        case .terminal(let capabilities):
            state.terminal = capabilities
            return []
        case .files(let action): return files(action, &state)
        case .tick(let now): return tick(now, &state)
        }
    }

    /// Shows a line for a while: the longer it is, the longer; errors twice as long.
    static func notify(_ level: Notice.Level, _ text: String, _ state: inout AppState) {
        let seconds = 3 + Double(text.count) / 18
        state.notice = Notice(
            level: level, text: text, until: state.now + (level == .error ? 2 * seconds : seconds))
    }

    static func markDirty(_ state: inout AppState) {
        if state.session.dirtySince == nil { state.session.dirtySince = state.now }
    }

    private static func tick(_ now: Double, _ state: inout AppState) -> [Effect] {
        state.now = now
        turnEye(&state)
        if let notice = state.notice, notice.until <= now { state.notice = nil }
        if let since = state.session.dirtySince, now - since >= SessionState.delay {
            return saveLayout(&state) + saveSession(&state)
        }
        return []
    }

    // MARK: Focus and layout

    static func focus(_ pane: PaneID, _ state: inout AppState) {
        state.layout.focus = pane
        switch pane {
        case .preview, .mask:
            state.layout.center = pane
            state.layout.front = pane
        case .tokens, .jobs, .log: state.layout.front = pane
        case .models, .schedule, .symmetry, .train: break
        }
        if pane != .mask { endStroke(&state) }
    }

    private static func layout(_ action: LayoutAction, _ state: inout AppState) {
        switch action {
        case .resized(let size): state.layout.size = size
        case .setTree(let form, let tree):
            state.layout.trees[form] = tree
            state.layout.isUnsaved = true
            markDirty(&state)
        }
    }
}
