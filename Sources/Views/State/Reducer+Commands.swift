// Commands that mean something else in every pane: moving, confirming, leaving.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension Reducer {
    static func cycleFocus(_ steps: Int, _ state: inout AppState) -> [Effect] {
        let all = PaneID.allCases
        let index = all.firstIndex(of: state.layout.focus) ?? 0
        return reduce(&state, .focus(all[wrap(index + steps, all.count)]))
    }

    static func move(x: Int, y: Int, _ state: inout AppState) -> [Effect] {
        switch state.layout.focus {
        case .models:
            if y != 0 { return models(.select(state.models.selected + y), &state) }
        case .schedule:
            if y != 0 { moveScheduleField(y, &state) }
            if x != 0 { return change(state.schedule.field, by: x, &state) }
        case .preview:
            if x != 0 { scrubBy(x, &state) }
            if y != 0 { preview(.selectPicture(state.preview.picture + y), &state) }
        case .mask: moveMaskCursor(x: x, y: y, draws: false, &state)
        case .tokens:
            tokens(.select(row: state.tokens.row + y, column: state.tokens.column + x), &state)
        case .jobs: if y != 0 { return jobs(.select(state.jobs.selected + y), &state) }
        case .log: if y != 0 { log(.scroll(-y), &state) }
        case .symmetry: return moveInSymmetry(x: x, y: y, &state)
        case .train:
            if y != 0 { return train(.select(state.train.selected + y), &state) }
            if x != 0 { return moveTrainCursor(x, &state) }
        }
        return []
    }

    static func moveToEnd(_ direction: Int, _ state: inout AppState) -> [Effect] {
        let far = direction * 1_000_000
        switch state.layout.focus {
        case .models: return models(.select(far), &state)
        case .schedule: moveScheduleField(far, &state)
        case .preview: preview(.scrub(to: direction < 0 ? 0 : nil), &state)
        case .mask: moveMaskCursor(x: far, y: 0, draws: false, &state)
        case .tokens: tokens(.select(row: far, column: far), &state)
        case .jobs: return jobs(.select(far), &state)
        case .log: log(.scroll(-far), &state)
        case .symmetry: return moveInSymmetry(x: 0, y: far, &state)
        case .train:
            return direction < 0 ? moveTrainCursor(far, &state) : train(.cursor(nil), &state)
        }
        return []
    }

    static func page(_ direction: Int, _ state: inout AppState) -> [Effect] {
        if state.layout.focus == .models {
            return models(.scrollCard(direction * 5), &state)
        }
        if state.layout.focus == .preview {
            return []
        }
        if state.layout.focus == .train {
            return train(.scroll(direction * 5), &state)
        }
        return move(x: 0, y: direction * 10, &state)
    }

    static func confirm(_ state: inout AppState) -> [Effect] {
        switch state.layout.focus {
        case .models:
            guard let entry = state.models.selectedEntry else { return [] }
            if entry.card.name == state.model?.card.name { return generate(&state) }
            return load(entry, &state)
        case .schedule, .preview, .tokens, .log: return generate(&state)
        case .symmetry:
            return state.symmetry.facts == nil
                ? Command.openSymmetrySet.applyToSymmetry(&state) ?? [] : []
        case .mask: return runEdit(&state)
        case .jobs: return showJob(&state)
        case .train: return startTraining(&state)
        }
    }

    static func toggle(_ state: inout AppState) -> [Effect] {
        switch state.layout.focus {
        case .schedule:
            switch state.schedule.field {
            case .row: return cycleFamily(by: 1, &state)
            case .generate: return generate(&state)
            case let field: return change(field, by: 1, &state)
            }
        case .preview: return pauseRun(&state)
        case .mask: paintAtCursor(&state)
        case .models: return confirm(&state)
        case .train: return holdTraining(&state)
        case .tokens, .jobs, .log: break
        case .symmetry: return Command.toggleTurning.applyToSymmetry(&state) ?? []
        }
        return []
    }

    static func step(_ steps: Int, _ state: inout AppState) -> [Effect] {
        switch state.layout.focus {
        case .schedule: return change(state.schedule.field, by: steps, &state)
        case .preview:
            if abs(steps) == 1 {
                preview(.zoom(steps), &state)
            } else {
                scrubBy(steps, &state)
            }
        case .symmetry: return turnInput(steps, &state)
        case .train: return moveTrainCursor(steps, &state)
        case .mask:
            if abs(steps) == 1 {
                zoomMask(by: steps, &state)
            } else {
                resizeTool(steps, &state)
            }
        case .models, .tokens, .jobs, .log: break
        }
        return []
    }

    static func resizeTool(_ steps: Int, _ state: inout AppState) {
        let limit = max(1, (state.mask.source?.width ?? 28) / 2)
        state.mask.sizes[state.mask.tool] = max(1, min(limit, state.mask.size + steps))
    }

    static func nextMaskView(_ state: inout AppState) {
        guard state.mask.result != nil else {
            if state.mask.canvas != nil {
                state.mask.view = state.mask.view == .canvas ? .mask : .canvas
                return
            }
            notify(.info, "There is no result yet; Enter runs the edit.", &state)
            return
        }
        let all = MaskView.allCases.filter { $0 != .canvas || state.mask.canvas != nil }
        let index = all.firstIndex(of: state.mask.view) ?? 0
        state.mask.view = all[wrap(index + 1, all.count)]
    }

    static func search(_ state: inout AppState) {
        switch state.layout.focus {
        case .schedule:
            if readyModel(&state) != nil { state.overlays.append(.classes(FilteredList())) }
        case .log:
            state.overlays.append(.prompt(.searchLog, TextEntry(state.log.query), problem: nil))
        case .models, .preview, .mask, .tokens, .jobs, .train, .symmetry:
            state.overlays.append(.help(state.layout.focus, FilteredList()))
        }
    }

    static func cycleImages(_ state: inout AppState) {
        // A terminal that did not say it knows a protocol would show it as letters.
        state.options.images = state.pictureMode.next(state.terminal)
        notify(.info, "Pictures: \(state.pictureMode.rawValue).", &state)
    }

    // MARK: Leaving

    static func back(_ state: inout AppState) -> [Effect] {
        if !state.overlays.isEmpty { return closeOverlay(&state) }
        if state.notice != nil, state.notice?.level == .error {
            state.notice = nil
            return []
        }
        if let stroke = state.mask.stroke {
            state.mask.mask = stroke.before
            state.mask.stroke = nil
            return []
        }
        if state.layout.zoom != .normal {
            state.layout.zoom = .normal
            return []
        }
        let effects = cancelActive(&state)
        if !effects.isEmpty { return effects }
        state.preview.pass = nil
        state.mask.isCursorShown = false
        state.mask.cellsScale = nil
        if state.layout.focus == .train { return train(.cursor(nil), &state) }
        return []
    }

    static func interrupt(_ state: inout AppState) -> [Effect] {
        if let last = state.interruptedAt, state.now - last < 1 {
            state.isFinished = true
            return []
        }
        state.interruptedAt = state.now
        let effects = cancelActive(&state)
        notify(
            .info,
            effects.isEmpty ? "Ctrl-C again quits." : "Cancelling… Ctrl-C again quits.", &state)
        return effects
    }

    /// Sends the screen anew. Nothing on it changes by that: a line about to go stays a moment.
    static func redraw(_ state: inout AppState) -> [Effect] {
        if let until = state.notice?.until { state.notice?.until = max(until, state.now + 1) }
        return [.terminal(.redraw)]
    }

    /// Closes what lies on top, else ends the program; asks where something would be lost, and after
    /// a click, which may have gone astray.
    static func quit(_ state: inout AppState, asksAlways: Bool = false) -> [Effect] {
        if !state.overlays.isEmpty { return closeOverlay(&state) }
        var reasons: [String] = []
        if state.jobs.hasUnfinished || state.runs.hasUnfinished {
            reasons.append(
                state.session.isReadOnly
                    ? "a job runs" : "a job runs; it will wait for the next start")
        }
        // The gallery keeps pictures for the next start, where it can.
        if state.session.isReadOnly || state.session.hasLostGallery,
            state.runs.runs.contains(where: { !$0.images.isEmpty && !$0.isSaved })
        {
            reasons.append("a picture is not saved")
        }
        if state.mask.isMaskUnsaved { reasons.append("the mask is not saved") }
        guard asksAlways || !reasons.isEmpty else {
            state.isFinished = true
            return []
        }
        if reasons.isEmpty { reasons = ["nothing is unsaved"] }
        let list = reasons.joined(separator: reasons.count == 2 ? " and " : ", ")
        state.overlays.append(
            .question(
                Question(
                    kind: .quit, title: "Quit?",
                    text: list.prefix(1).uppercased()
                        + list.dropFirst() + ".", answers: ["Quit", "Stay"])))
        return []
    }

    static func copyCommand(_ state: inout AppState) -> [Effect] {
        guard let command = CommandLineText.equivalent(to: state) else {
            _ = readyModel(&state)
            return []
        }
        notify(.info, "Copied: \(command)", &state)
        return [.terminal(.copy(command)), .log(.info, command)]
    }

    static func copyValue(_ state: inout AppState) -> [Effect] {
        guard let value = CommandLineText.value(of: state) else {
            notify(.info, "There is no value here to copy.", &state)
            return []
        }
        notify(.info, "Copied: \(value)", &state)
        return [.terminal(.copy(value))]
    }
}
