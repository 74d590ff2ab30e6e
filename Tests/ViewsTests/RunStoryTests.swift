// Runs: scrubbing, comparing, cancelling, saving, leaving.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Testing

@testable import Views

@MainActor
@Suite("Run stories")
struct RunStoryTests {
    @Test("Passes can be scrubbed through; the newest one is followed")
    func scrub() {
        let app = ApplicationHarness().ready()
        app.press(.enter)
        app.settle()
        #expect(app.state.preview.pass == nil)
        app.press(.left, .left)
        #expect(app.state.preview.pass == 6)
        #expect(app.state.shownPass?.scale == 2)
        app.press("g")
        #expect(app.state.preview.pass == 0)
        app.press(.left)
        #expect(app.state.preview.pass == 0)
        app.press("G")
        #expect(app.state.preview.pass == nil)
    }

    @Test("Paused, then one pass at a time, then on")
    func stepping() {
        let app = ApplicationHarness(passSeconds: 0.005).ready()
        app.press(.enter)
        app.press(" ")
        app.wait { $0.runs.active?.isPaused == true && $0.runs.active?.passes.isEmpty == false }
        app.wait(0.2) { _ in false }
        let count = app.state.runs.active?.passes.count ?? 0
        #expect(count < 9)
        app.press(".")
        app.wait { ($0.runs.active?.passes.count ?? 0) > count }
        app.wait(0.1) { _ in false }
        #expect(app.state.runs.active?.passes.count == count + 1)
        app.press(" ")
        app.settle()
        #expect(app.state.runs.shown?.state == .done)
    }

    @Test("Comparing queues three runs at the same seed and shows them side by side")
    func compare() {
        let app = ApplicationHarness().ready()
        app.press("v")
        app.settle()
        let runs = app.state.runs.comparison
        #expect(runs.map(\.request.variant) == [.var, .hmarNextScale, .hmar])
        #expect(Set(runs.map(\.request.seed)) == [42])
        let frame = app.frame()
        let ids = Set(frame.placements.map(\.id))
        #expect(ids.isSuperset(of: (0..<3).map(PictureID.comparison)))
        let text = frame.surface.text()
        #expect(text.contains("cache 64.0 KiB"))
        #expect(text.contains("no cache"))
        #expect(text.contains("5 passes"))
        #expect(text.contains("9 passes"))
    }

    @Test("Esc cancels the running job and keeps what was made")
    func cancel() {
        let app = ApplicationHarness(passSeconds: 0.02).ready()
        app.press(.enter)
        app.wait { ($0.runs.active?.passes.count ?? 0) >= 2 }
        app.press(.escape)
        app.settle()
        #expect(app.state.runs.shown?.state == .cancelled)
        #expect((app.state.runs.shown?.passes.count ?? 0) >= 2)
        #expect(app.state.shownPicture != nil)
        #expect(app.text().contains("partial: cancelled"))
    }

    @Test("Ctrl-C cancels, twice within a second quits")
    func interrupt() {
        let app = ApplicationHarness(passSeconds: 0.02).ready()
        app.press(.enter)
        app.wait { ($0.runs.active?.passes.count ?? 0) >= 1 }
        app.press(KeyPress("c", .control))
        #expect(!app.application.isFinished)
        app.settle()
        #expect(app.state.runs.shown?.state == .cancelled)
        app.advance(2)
        app.press(KeyPress("c", .control))
        #expect(!app.application.isFinished)
        app.press(KeyPress("c", .control))
        #expect(app.application.isFinished)
    }

    @Test("q asks when a picture is not saved, and not otherwise")
    func quit() {
        let app = ApplicationHarness().ready()
        app.press(.enter)
        app.settle()
        app.press("q")
        #expect(!app.application.isFinished)
        #expect(app.text().contains("A picture is not saved."))
        app.press("s")
        #expect(!app.application.isFinished)
        #expect(app.state.overlays.isEmpty)
        app.press(KeyPress("s", .control))
        app.press(.enter)
        app.wait { $0.runs.runs.allSatisfy(\.isSaved) }
        #expect(app.files.paths.last?.hasSuffix("fake-digits-zero-42.png") == true)
        app.press("q")
        #expect(app.application.isFinished)
    }

    @Test("q twice quits: the first letter of an answer is its key")
    func quitTwice() {
        let app = ApplicationHarness().ready()
        app.press(.enter)
        app.settle()
        app.press("q")
        #expect(app.text().contains("Quit?"))
        app.press("q")
        #expect(app.application.isFinished)
    }

    @Test("A saved picture carries the request and the schedule that really ran")
    func recipe() throws {
        let app = ApplicationHarness().ready()
        app.application.send(.schedule(.setSeed(7)))
        app.application.send(.schedule(.setText(scale: 2, "4 5")))
        app.press(.enter)
        app.settle()
        app.press(KeyPress("s", .control))
        app.press(.enter)
        app.wait { $0.runs.runs.allSatisfy(\.isSaved) }
        let recipe = try #require(app.files.recipes.last)
        #expect(recipe.model == "fake-digits")
        #expect(recipe.sampling.seed == 7)
        #expect(recipe.sampling.schedule.rows[2] == [4, 5])
        #expect(recipe.edit == nil)
    }

    @Test("y copies the command line that does the same")
    func copy() {
        let app = ApplicationHarness().ready()
        app.press("y")
        let expected =
            "workbench sample --model fake-digits --class 0 --seed 42 --cfg 1.5 --top-k 0 "
            + "--top-p 0.0 --count 1 --schedule '[[1],[1,3],[1,1,2,5],[25],[49]]' --out ."
        #expect(app.application.takeRequests() == [.copy(expected)])
    }

    @Test("A batch is shown as a grid, and one of it large")
    func batch() {
        let app = ApplicationHarness().ready()
        app.application.send(.schedule(.change(.count, by: 3)))
        app.press(.enter)
        app.settle()
        #expect(app.state.preview.view == .grid)
        let ids = Set(app.frame().placements.map(\.id))
        #expect(ids.isSuperset(of: (0..<4).map(PictureID.batch)))
        app.press("]")
        app.press("mmm")
        #expect(app.state.preview.picture == 1)
    }

    @Test("Jobs can be held back, moved, cancelled and cleared")
    func jobs() {
        let app = ApplicationHarness().ready()
        app.press("p")
        app.wait { $0.jobs.isPaused }
        app.press("r")
        app.press("R")
        app.wait { $0.jobs.jobs.filter { $0.state == .queued }.count == 2 }
        app.press("6")
        app.press("G")
        let last = app.state.jobs.selectedJob
        app.press("K")
        app.wait { $0.jobs.jobs[1].id == last?.id }
        #expect(app.state.jobs.selectedJob?.id == last?.id)
        app.press("x")
        app.wait { $0.jobs.selectedJob?.state == .cancelled }
        #expect(app.state.jobs.selectedJob?.state == .cancelled)
        #expect(app.state.runs.runs.contains { $0.state == .cancelled })
        app.press("p")
        app.wait { $0.jobs.jobs.allSatisfy { $0.state.isFinished } }
        app.press("c")
        app.wait { $0.jobs.jobs.isEmpty }
        #expect(app.state.jobs.jobs.isEmpty)
    }

    @Test("A session left behind is offered and restored")
    func session() throws {
        let folder =
            FileManager.default.temporaryDirectory.path
            + "/workbench-session-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let first = ApplicationHarness(stateFolder: folder).ready()
        first.wait { !$0.session.isReadOnly }
        first.application.send(.schedule(.setSeed(99)))
        first.press(.enter)
        first.settle()
        first.press("4")
        first.press("s")
        first.press(" ")
        let mask = first.state.mask.mask
        let source = first.state.mask.source
        first.advance(10)
        // As a signal would: saved, not ended by the person.
        first.application.willTerminate()

        let second = ApplicationHarness(stateFolder: folder).ready()
        second.wait { !$0.overlays.isEmpty }
        #expect(second.text().contains("Restore the last session?"))
        second.press(.enter)
        #expect(second.state.schedule.values.seed == 99)
        #expect(second.state.mask.mask == mask)
        #expect(second.state.mask.source == source)
        #expect(second.state.runs.shown?.images.count == 1)
        second.press("4")
        second.press("u")
        #expect(second.state.mask.mask?.coverage == 0)
        second.application.shutDown()

        let third = ApplicationHarness(stateFolder: folder).ready()
        third.wait { !$0.session.isReadOnly }
        #expect(third.state.overlays.isEmpty)
        third.application.shutDown()
    }

    @Test("A notice stays for its time, however long nothing happened before")
    func notices() {
        let app = ApplicationHarness().ready()
        app.advance(1000)
        app.advance(1000)
        app.press("u")
        #expect(app.state.notice?.text == "Nothing to undo.")
        app.advance(1)
        #expect(app.state.notice != nil)
        #expect(app.application.nextDeadline ?? 0 > 2001)
        app.advance(10)
        #expect(app.state.notice == nil)
        #expect(app.application.nextDeadline == nil)
    }

    @Test("A second program on the same folder does not write")
    func sessionLock() {
        let folder =
            FileManager.default.temporaryDirectory.path
            + "/workbench-session-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let first = SessionStore(folder: folder)
        guard case .fresh = first.open() else {
            Issue.record("a new folder is not fresh")
            return
        }
        guard case .held = SessionStore(folder: folder).open() else {
            Issue.record("the lock did not hold")
            return
        }
        first.close(keepsSession: false)
        guard case .fresh = SessionStore(folder: folder).open() else {
            Issue.record("the lock was not given back")
            return
        }
    }
}
