// Editing the schedule: what runs is always the last valid one.
// SPDX-License-Identifier: Apache-2.0
import Core
import Testing

@testable import Views

@MainActor
@Suite("Schedule stories")
struct ScheduleStoryTests {
    @Test("Enter on the first screen generates a picture")
    func firstPicture() {
        let app = ApplicationHarness().ready()
        #expect(app.text().contains("Enter  generate a picture"))
        app.press(.enter)
        app.settle()
        #expect(app.state.runs.shown?.state == .done)
        #expect(app.state.shownPicture?.width == 28)
        #expect(app.model.rowsRun == [[[1], [1, 3], [1, 1, 2, 5], [25], [49]]])
    }

    @Test("A row changed while the run is held reaches the scales that have not begun")
    func liveChange() {
        let app = ApplicationHarness(passSeconds: 0.01).ready()
        app.press("3")
        app.press(.enter)
        app.press(" ")
        app.wait { $0.runs.active?.passes.count ?? 0 >= 1 }
        // Held, or about to be: the run stops after the pass it is in.
        app.press("2")
        app.application.send(.schedule(.select(.row(4))))
        app.press("+")
        app.press("+")
        #expect(app.state.schedule.values.rows[4].entries.count == 3)
        app.press("3")
        app.press(" ")
        app.settle()
        let expected = ScheduleFamily.cosine.row(tokenCount: 49, maskSteps: 2)
        #expect(app.model.rowsRun.last?[4] == expected)
        #expect(app.state.runs.shown?.schedule.rows[4] == expected)
        #expect(app.state.runs.shown?.passCount == 11)
    }

    @Test("A scale that has begun keeps its row and the person is told")
    func lateChange() {
        let app = ApplicationHarness(passSeconds: 0.02).ready()
        app.press(.enter)
        app.wait { ($0.runs.active?.lastBegunScale ?? -1) >= 2 || !$0.runs.hasUnfinished }
        app.application.send(.schedule(.setText(scale: 1, "2 2")))
        #expect(app.state.notice?.text.contains("Scale 1 has begun") == true)
        app.settle()
        #expect(app.model.rowsRun.last?[1] == [1, 3])
        app.press(.enter)
        app.settle()
        #expect(app.model.rowsRun.last?[1] == [2, 2])
    }

    @Test("An invalid row stays visible with its reason and never runs")
    func invalidRow() {
        let app = ApplicationHarness().ready()
        app.press("2")
        app.application.send(.schedule(.select(.row(2))))
        app.press("e")
        app.press(KeyPress("u", .control))
        app.type("1 1 2 9")
        #expect(app.text().contains("Adds up to 13; 3×3 needs 9."))
        app.press(.enter)
        #expect(app.text().contains("1 1 2 9"))
        #expect(app.text().contains("last valid rows run"))
        app.application.send(.command(.generate))
        app.settle()
        #expect(app.model.rowsRun.last?[2] == [1, 1, 2, 5])
        app.press("e")
        app.press(KeyPress("u", .control))
        app.type("4 5")
        app.press(.enter)
        #expect(app.state.schedule.values.rows[2].invalidText == nil)
        app.application.send(.command(.generate))
        app.settle()
        #expect(app.model.rowsRun.last?[2] == [4, 5])
    }

    @Test(
        "Typed rows are checked",
        arguments: [
            ("", "Empty"), ("a", "not a whole number"), ("0 9", "1 or more"),
            ("-1 10", "1 or more"), ("8", "Adds up to 8"),
            ("99999999999999999999", "not a whole number"),
            ("9223372036854775807 1", "too large"),
        ])
    func rowReasons(text: String, reason: String) {
        var row = ScaleRow(side: 3, entries: [9])
        row.setText(text)
        #expect(row.reason?.contains(reason) == true)
        #expect(row.entries == [9])
        #expect(row.text == text)
    }

    @Test("Rows may be typed as JSON lists", arguments: ["[1, 3, 5]", "1,3,5", " 1 3  5 "])
    func rowForms(text: String) {
        var row = ScaleRow(side: 3, entries: [9])
        row.setText(text)
        #expect(row.entries == [1, 3, 5])
        #expect(row.reason == nil)
    }

    @Test("Presets give valid schedules for every published list of scales")
    func presets() throws {
        let lists = [
            [1, 2, 3, 5, 7], [1, 2, 3, 4, 5, 6, 8, 10, 13, 16],
            [1, 2, 3, 4, 6, 9, 13, 18, 24, 32],
        ]
        for patchNums in lists {
            for preset in SchedulePreset.allCases {
                let rows = preset.rows(patchNums: patchNums, cardSchedule: nil)
                _ = try SamplingSchedule(patchNums: patchNums, rows: rows.map(\.entries))
            }
        }
        let published = SchedulePreset.default.rows(patchNums: lists[1], cardSchedule: nil)
        #expect(published.reduce(0) { $0 + $1.entries.count } == 14)
        let benchmark = SchedulePreset.benchmark.rows(patchNums: lists[1], cardSchedule: nil)
        #expect(benchmark.reduce(0) { $0 + $1.entries.count } == 13)
        // A card whose schedule does not fit its own scales is not followed.
        let wrong = SchedulePreset.default.rows(patchNums: [1, 2], cardSchedule: [[1], [5]])
        #expect(wrong.map(\.entries) == [[1], [1, 3]])
    }

    @Test("The predicted time is unknown before the first run and measured after it")
    func prediction() {
        let app = ApplicationHarness(options: { $0.isDeterministic = false }).ready()
        #expect(app.text().contains("9 passes, time —"))
        app.press(.enter)
        app.settle()
        // Nine passes of 10 ms each, as the model reports them.
        #expect(app.text().contains("9 passes, about 90 ms"))
        app.application.send(.schedule(.change(.row(4), by: 2)))
        #expect(app.text().contains("11 passes, about 110 ms"))
    }

    @Test("VAR and HMAR without mask steps run one pass a scale")
    func variants() {
        let app = ApplicationHarness().ready()
        app.application.send(.schedule(.change(.variant, by: 1)))
        app.press(.enter)
        app.settle()
        #expect(app.model.rowsRun.last == [[1], [4], [9], [25], [49]])
    }

    @Test("Undo and redo walk through the schedule; a held key is one step")
    func undo() {
        let app = ApplicationHarness().ready()
        app.press("2")
        app.application.send(.schedule(.select(.seed)))
        app.press("++")
        app.press("+")
        #expect(app.state.schedule.values.seed == 45)
        app.application.send(.schedule(.select(.count)))
        app.press("+")
        app.press("u")
        #expect(app.state.schedule.values.count == 1)
        app.press("u")
        #expect(app.state.schedule.values.seed == 42)
        app.press("U")
        app.press("U")
        #expect(app.state.schedule.values.seed == 45)
        #expect(app.state.schedule.values.count == 2)
    }

    @Test("A number that is out of range is refused with its range")
    func refusedNumber() {
        let app = ApplicationHarness().ready()
        app.press("2")
        app.application.send(.schedule(.select(.topP)))
        app.press("e")
        app.press(KeyPress("u", .control))
        app.type("1.5")
        app.press(.enter)
        #expect(app.state.schedule.values.topP == 0)
        #expect(app.state.notice?.text.contains("0 (all codes) to 1") == true)
        app.press(.escape)
        #expect(app.state.schedule.editing == nil)
    }

    @Test("The class is found by a few letters of its name")
    func classSearch() {
        let app = ApplicationHarness().ready()
        app.press("2")
        app.press("c")
        app.type("sev")
        app.press(.enter)
        #expect(app.state.schedule.values.classLabel == 7)
        app.press("c")
        app.type("no cl")
        app.press(.enter)
        #expect(app.state.schedule.values.classLabel == nil)
    }
}
