// Undo of everything, the list that is walked, the queue over a restart, recipes, copied commands.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@testable import Views

@MainActor
@Suite("History, queue and recipes")
struct HistoryTests {
    private func sampled(_ app: ApplicationHarness) {
        app.press("3")
        app.press(.enter)
        app.settle()
    }

    @Test("Another picture to edit is one step; strokes before it come back with their mask")
    func canvas() throws {
        let app = ApplicationHarness().ready()
        sampled(app)
        app.press("4s ")
        let first = try #require(app.state.mask.source)
        let mask = try #require(app.state.mask.mask)
        #expect(mask.coverage > 0)
        app.press("3R")
        app.settle()
        app.press("4s")
        #expect(app.state.mask.source != first && app.state.mask.mask?.coverage == 0)
        app.press(" u")
        app.press("u")
        #expect(app.state.mask.source == first && app.state.mask.mask == mask)
        #expect(app.state.mask.isMaskShown)
        // The seed of R lies between.
        app.press("uu")
        #expect(app.state.mask.source == first && app.state.mask.mask?.coverage == 0)
        app.press("UUUU")
        #expect(app.state.mask.source != first && app.state.mask.mask?.coverage ?? 0 > 0)
    }

    @Test("Shrinking for outpainting is undone whole")
    func outpainting() throws {
        let app = ApplicationHarness().ready()
        sampled(app)
        app.press("4s ")
        let before = app.state.mask
        app.press("z")
        #expect(app.state.mask.source != before.source)
        app.press("uu")
        #expect(app.state.mask.source == before.source && app.state.mask.mask == before.mask)
        #expect(app.state.mask.settings == before.settings)
    }

    @Test("The list shows every step and goes to any of them")
    func walk() {
        let app = ApplicationHarness().ready()
        app.press("2")
        for seed in [7, 8, 9] as [UInt64] {
            app.application.send(.schedule(.setSeed(seed)))
            app.application.send(.schedule(.setClass(Int(seed) - 5)))
        }
        #expect(app.state.undo.undo.count == 6)
        app.press("Z")
        let text = app.text()
        #expect(text.contains("History") && text.contains("● Class") && text.contains("8 → 9"))
        // To the top of the list: the beginning.
        app.press(KeyPress(.pageUp), .enter)
        #expect(app.state.schedule.values.seed == 42 && app.state.undo.redo.count == 6)
        app.press("Z")
        #expect(app.text().contains("Undone"))
        app.press(.down, .down, .down, .enter)
        #expect(app.state.schedule.values.seed == 8)
        #expect(app.state.undo.undo.count == 3)
    }

    @Test("A removed job comes back by undo; a cancelled one is tried again")
    func jobs() {
        let app = ApplicationHarness(passSeconds: 0.01).ready()
        app.press("p")
        app.wait { $0.jobs.isPaused }
        app.press("3")
        app.press(.enter)
        app.press("R")
        app.wait { $0.jobs.jobs.filter { $0.state == .queued }.count == 2 }
        app.press("6G")
        app.press("d")
        app.wait { $0.jobs.jobs.filter { $0.state == .queued }.count == 1 }
        let seeds = app.state.runs.runs.map(\.request.seed)
        app.press("u")
        app.wait { $0.jobs.jobs.filter { $0.state == .queued }.count == 2 }
        #expect(app.state.runs.runs.last?.request.seed == seeds.last)
        app.press("G")
        app.press("x")
        app.wait { $0.jobs.jobs.last?.state == .cancelled }
        app.press("r")
        app.wait { $0.jobs.jobs.last?.state == .queued }
        app.press("p")
        app.settle()
        #expect(app.state.runs.runs.last?.state == .done)
        #expect(app.state.runs.runs.last?.request.seed == seeds.last)
        app.press("6G")
        app.press(.enter)
        #expect(app.state.layout.focus == .preview)
        #expect(app.state.runs.shown?.request.seed == seeds.last)
    }

    @Test("Jobs that wait survive the end of the program and a kill, held until told to go on")
    func restart() throws {
        let folder = try TemporaryFolder()
        let first = ApplicationHarness(passSeconds: 0.01, stateFolder: folder.path).ready()
        first.wait { !$0.session.isReadOnly }
        first.press("p")
        first.wait { $0.jobs.isPaused }
        first.press("3")
        first.press(.enter)
        first.press("R")
        first.wait { $0.jobs.jobs.filter { $0.state == .queued }.count == 2 }
        let seeds = first.state.runs.runs.map(\.request.seed)
        first.application.shutDown()
        let second = ApplicationHarness(passSeconds: 0.01, stateFolder: folder.path).ready(
            waitsForJobs: false)
        second.wait { $0.jobs.jobs.filter { $0.state == .queued }.count == 2 }
        #expect(second.state.jobs.isPaused)
        #expect(second.state.runs.runs.map(\.request.seed) == seeds)
        second.press("p")
        second.settle()
        #expect(second.state.runs.runs.map(\.state) == [.done, .done])
        // All done: nothing waits for the third start.
        second.application.shutDown()
        #expect(!FileManager.default.fileExists(atPath: folder.file("queue.json")))
    }

    @Test("A recipe takes its values over and says whether the pixels are the same")
    func recipes() throws {
        let app = ApplicationHarness().ready()
        app.application.send(.schedule(.setSeed(99)))
        sampled(app)
        let run = try #require(app.state.runs.shown)
        let card = try #require(app.state.model?.card)
        let recipe = PictureRecipe(
            program: "test", card: card, index: 0, sampling: run.request, schedule: run.schedule)
        app.application.send(.schedule(.setSeed(5)))
        app.application.send(
            .file(
                .recipe(
                    OpenedRecipe(
                        recipe: recipe, edit: nil, picture: run.images[0], path: "/a/old.png"))))
        app.settle()
        #expect(app.state.schedule.values.seed == 99)
        #expect(app.state.notice?.text == "old.png: the same pixels.")
        app.press("u")
        #expect(app.state.schedule.values.seed == 5)
        app.application.send(
            .file(
                .recipe(
                    OpenedRecipe(
                        recipe: recipe, edit: nil, picture: RGBImage(width: 28, height: 28),
                        path: "/a/other.png"))))
        app.settle()
        #expect(app.state.notice?.text.contains("other pixels") == true)
    }

    @Test("The recipe of an edit brings its picture and mask back, and is undone")
    func editRecipes() throws {
        let app = ApplicationHarness().ready()
        sampled(app)
        app.press("4s ")
        let mask = try #require(app.state.mask.mask)
        app.press(.enter)
        app.settle()
        let run = try #require(app.state.runs.runs.last)
        let card = try #require(app.state.model?.card)
        let edit = try #require(run.edit)
        let recipe = PictureRecipe(
            program: "test", card: card, index: 0, sampling: run.request, schedule: run.schedule,
            edit: edit)
        app.press("c")
        #expect(app.state.mask.mask?.coverage == 0)
        app.application.send(
            .file(
                .recipe(
                    OpenedRecipe(
                        recipe: recipe, edit: try recipe.editRequest(), picture: run.images[0],
                        path: "edit.png"))))
        app.settle()
        #expect(app.state.mask.mask == mask && app.state.mask.sourceName == "edit.png")
        #expect(app.state.notice?.text == "edit.png: the same pixels.")
    }

    @Test("Every pane copies a command, and values where it has some", arguments: 1...7)
    func copies(pane: Int) throws {
        let app = ApplicationHarness().ready()
        sampled(app)
        app.press("4s ")
        app.press("\(pane)")
        _ = app.application.takeRequests()
        app.press("y")
        let copied = app.application.takeRequests().compactMap { request -> String? in
            if case .copy(let text) = request { return text }
            return nil
        }
        let command = try #require(copied.first)
        #expect(command.hasPrefix("workbench "))
        app.press("Y")
        #expect(!app.application.takeRequests().isEmpty)
    }

    @Test("The focused pane is made wider, narrower, higher and lower by keys")
    func dividers() {
        let app = ApplicationHarness().ready()
        app.press("2")
        func frame() -> Rect? {
            ScreenLayout(app.state, size: app.size).arrangement.panes.first {
                $0.pane == .schedule
            }?.frame
        }
        let before = frame()
        app.press(KeyPress(.right, .control))
        #expect(frame()?.width == before.map { $0.width + 2 })
        app.press(KeyPress(.left, .control))
        #expect(frame() == before)
        app.press(KeyPress(.down, .control))
        #expect(frame()?.height == before.map { $0.height + 1 })
        app.press(KeyPress(.up, .control))
        #expect(frame() == before)
    }

    @Test("Dividers stand at the next start where they were dragged to; a damaged file moves none")
    func keptDividers() throws {
        let app = ApplicationHarness().ready()
        func frame(_ app: ApplicationHarness) -> Rect? {
            ScreenLayout(app.state, size: app.size).arrangement.panes.first {
                $0.pane == .schedule
            }?.frame
        }
        let plain = frame(app)
        app.press("2")
        app.press(KeyPress(.right, .control))
        let folder = try TemporaryFolder()
        let store = SessionStore(folder: folder.path)
        guard case .fresh = store.open() else { throw CancellationError() }
        try store.write(layout: app.state.layout.weights)
        let next = ApplicationHarness().ready()
        next.application.send(.session(.layout(store.layout())))
        #expect(frame(next) == frame(app))
        #expect(frame(next) != plain)
        for damaged in [[1.0], [0, 0, 0, 0, 0, 0, 0, 0], [Double.nan]] {
            next.application.send(.session(.layout(["wide": damaged, "medium": damaged])))
            #expect(frame(next) == plain)
        }
    }

    @Test("The folder of the state is made again when it was cleared away")
    func clearedFolder() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/state"
        let store = SessionStore(folder: path)
        guard case .fresh = store.open() else { throw CancellationError() }
        try FileManager.default.removeItem(atPath: path)
        try store.write(layout: ["wide": [1]])
        #expect(store.layout() == ["wide": [1]])
    }

    @Test("Choosing a class where the mode takes none says which mode does")
    func classOfAnInpaint() {
        let app = ApplicationHarness().ready()
        app.press("4")
        app.press("C")
        #expect(app.state.notice?.text.contains("takes no class") == true)
    }
}
