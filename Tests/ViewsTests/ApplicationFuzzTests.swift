// Random events: nothing traps, and what must always hold does.
// SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@testable import Views

@MainActor
@Suite("Random events")
struct ApplicationFuzzTests {
    @Test("Nothing traps and the state stays sound", arguments: [1, 2, 3, 4] as [UInt64])
    func fuzz(seed: UInt64) {
        var random = RandomEvents(seed: seed)
        let app = ApplicationHarness().ready()
        for step in 0..<1500 {
            let event = random.next(size: app.size)
            if case .resize(let size) = event { app.size = size.cells }
            app.application.handle(event)
            _ = app.application.takeRequests()
            if step % 7 == 0 { app.advance(0.3) }
            if step % 5 == 0 { _ = app.frame() }
            if app.application.isFinished { break }
            check(app.state, step: step)
        }
        app.application.shutDown()
    }

    private func check(_ state: AppState, step: Int) {
        let values = state.schedule.values
        for row in values.rows {
            #expect(row.entries.reduce(0, +) == row.tokenCount, "step \(step)")
            #expect(row.entries.allSatisfy { $0 >= 1 })
            #expect((row.invalidText == nil) == (row.reason == nil))
        }
        #expect((1...8).contains(values.count))
        #expect((0...20).contains(values.cfg) && (0...1).contains(values.topP))
        #expect(state.schedule.fields.contains(state.schedule.field))
        if let label = values.classLabel { #expect((0..<10).contains(label)) }
        if let run = state.runs.shown, let pass = state.preview.pass {
            #expect(run.passes.indices.contains(pass))
        }
        if let grid = state.shownGrid {
            #expect(state.tokens.row < grid.side && state.tokens.column < grid.side)
        }
        if let mask = state.mask.mask, let source = state.mask.source {
            #expect(mask.width == source.width && mask.height == source.height)
            #expect((0..<mask.width).contains(state.mask.cursor.x))
            #expect((0..<mask.height).contains(state.mask.cursor.y))
        }
        #expect(state.jobs.jobs.isEmpty || state.jobs.jobs.indices.contains(state.jobs.selected))
        #expect(state.runs.runs.filter { !$0.isActive }.count <= RunsState.kept + 1)
        #expect((0...8).contains(state.mask.settings.dilate))
    }
}

/// Keys, mouse, pastes and sizes by a seed; keys that do much come more often.
private struct RandomEvents {
    private var generator: RandomGenerator

    init(seed: UInt64) { generator = RandomGenerator(seed: seed) }

    private mutating func below(_ n: Int) -> Int { Int(generator.next() % UInt64(n)) }

    mutating func next(size: CellSize) -> InputEvent {
        let codes: [KeyCode] = [
            .up, .down, .left, .right, .home, .end, .pageUp, .pageDown, .tab, .enter, .enter,
            .escape, .escape, .backspace, .delete, .function(1),
        ]
        // Without z with Control (it stops the program) and without quitting twice.
        let characters = Array(
            "?:hjklgGeE+-HLrRytpvmbe[]{}aoficxsOIWMAPS.,<>() 1234567uU/nNdfFKJqz")
        let modifiers: [KeyModifiers] = [[], [], [], .shift, .alt, .control]
        switch below(12) {
        case 0...2:
            return .key(KeyPress(codes[below(codes.count)], modifiers[below(modifiers.count)]))
        case 3...6:
            return .key(KeyPress(characters[below(characters.count)]))
        case 7:
            return .key(KeyPress(Array("spfludr")[below(7)], .control))
        case 8...9:
            let kinds: [MouseEvent.Kind] = [
                .press, .press, .drag, .drag, .release, .wheelUp, .wheelDown, .motion,
            ]
            let buttons: [MouseEvent.Button] = [.left, .left, .middle, .right, .none]
            let point = Point(
                x: below(max(1, size.columns + 2)), y: below(max(1, size.rows + 2)))
            return .mouse(
                MouseEvent(
                    kinds[below(kinds.count)], button: buttons[below(buttons.count)], cell: point,
                    pixel: below(2) == 0
                        ? nil
                        : PixelPoint(x: point.x * 10 + below(10), y: point.y * 20 + below(20)),
                    modifiers: modifiers[below(modifiers.count)]))
        case 10:
            let texts = ["1 3", "[9]", "\u{1B}[31m", "四", "-1", String(repeating: "x", count: 500)]
            return .paste(texts[below(texts.count)], isTruncated: false)
        default:
            guard below(4) == 0 else { return .focus(below(2) == 0) }
            return .resize(
                ScreenSize(
                    cells: CellSize(columns: 1 + below(160), rows: 1 + below(60))))
        }
    }
}
