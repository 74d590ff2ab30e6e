// The session's pictures: marking, searching, comparing two; and branches.
// SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@testable import Views

@MainActor
@Suite("Gallery and branches")
struct GalleryTests {
    /// Runs with the seeds given, one after the other.
    private func app(
        seeds: [UInt64] = [1, 2, 3], size: CellSize = CellSize(columns: 120, rows: 40)
    ) -> ApplicationHarness {
        let app = ApplicationHarness(size: size).ready()
        for seed in seeds {
            app.application.send(.schedule(.setSeed(seed)))
            app.press(.enter)
            app.settle()
        }
        return app
    }

    @Test("The gallery shows every picture, newest first; Enter opens one")
    func gallery() {
        let app = app()
        app.press("o")
        #expect(app.text().contains("Gallery · 3 pictures"))
        let ids = Set(app.frame().placements.map(\.id))
        #expect(ids.isSuperset(of: (0..<3).map(PictureID.gallery)))
        #expect(
            app.state.galleryItems.compactMap { app.state.runs.run(id: $0.run)?.request.seed } == [
                3, 2, 1,
            ])
        app.press(.right)
        #expect(app.state.runs.shown?.request.seed == 2)
        app.press(.enter)
        #expect(app.state.preview.view == .picture)
        #expect(app.state.runs.runs.count == 3)
        #expect(app.state.runs.shown?.request.seed == 2)
    }

    @Test("Marked pictures are compared: side by side, one after the other, their difference")
    func pair() throws {
        let app = app()
        app.press("o")
        app.press(" ")
        app.press(.right, .right)
        app.press(" ")
        #expect(app.text().contains("2 marked"))
        app.press("v")
        #expect(app.state.preview.view == .pair)
        #expect(Set(app.state.gallery.pair.map(\.run)).count == 2)
        var ids = Set(app.frame().placements.map(\.id))
        #expect(ids.isSuperset(of: (0..<2).map(PictureID.pair)))
        app.press("d")
        #expect(app.state.gallery.pairView == .first)
        app.press(" ")
        #expect(app.state.gallery.pairView == .second)
        ids = Set(app.frame().placements.map(\.id))
        #expect(ids.contains(PictureID.pair(0)) && !ids.contains(PictureID.pair(1)))
        app.press("d")
        #expect(app.state.gallery.pairView == .difference)
        #expect(app.text().contains("of pixels differ"))
        app.press(.escape)
        #expect(app.state.preview.view == .gallery)
    }

    @Test("Without marks the shown picture is compared with the one before it")
    func pairWithoutMarks() {
        let app = app(seeds: [1, 2])
        app.press("d")
        let seeds = app.state.gallery.pair.compactMap {
            app.state.runs.run(id: $0.run)?.request.seed
        }
        #expect(seeds == [1, 2])
        let alone = ApplicationHarness().ready()
        alone.press("3")
        alone.press("d")
        #expect(alone.state.preview.view == .picture)
        #expect(alone.state.notice?.text.contains("Two finished pictures") == true)
    }

    @Test("The search narrows the gallery by every word; Esc shows all again")
    func search() {
        let app = app()
        app.press("o")
        app.press("x")
        app.press("/")
        app.type("zero 3")
        app.press(.enter)
        #expect(app.state.galleryItems.count == 1)
        #expect(app.text().contains("Gallery · 1 picture · 1 marked · with"))
        app.press("/")
        app.press(KeyPress("u", .control))
        app.type("nothing like it")
        app.press(.enter)
        #expect(app.text().contains("Nothing in the gallery"))
        app.press(.escape)
        #expect(app.state.galleryItems.count == 3)
    }

    @Test("Old runs keep their pictures; their passes go")
    func memory() {
        let app = app(seeds: Array(1...15))
        let runs = app.state.runs.runs
        #expect(runs.count == 15)
        #expect(runs.count { !$0.passes.isEmpty } == RunsState.kept)
        #expect(runs.allSatisfy { $0.images.count == 1 && !$0.tokens.isEmpty })
    }

    // MARK: Branches

    @Test("Going back to a scale keeps the scales before it and draws the others anew")
    func branch() throws {
        let app = app(seeds: [7])
        let parent = try #require(app.state.runs.shown)
        // Back to a pass of scale 2.
        while app.state.shownPass?.scale != 2 { app.press(.left) }
        app.application.send(.schedule(.setSeed(8)))
        app.press("3")
        app.press("b")
        app.settle()
        let child = try #require(app.state.runs.shown)
        #expect(child.branch == BranchPoint(run: parent.id, scale: 2))
        #expect(child.tokens[0].scales[..<2] == parent.tokens[0].scales[..<2])
        #expect(child.tokens[0].scales[2] != parent.tokens[0].scales[2])
        // The passes of two scales were not made.
        #expect(child.passCount == parent.passCount - 3)
        #expect(child.passes.allSatisfy { $0.scale >= 2 })
        #expect(app.text().contains("from 3×3"))
    }

    @Test("Branches of branches make a tree that arrows walk")
    func tree() {
        let app = app(seeds: [7])
        app.press("B")
        app.settle()
        let first = app.state.runs.shownID
        app.press("g")
        app.press("B")
        app.settle()
        app.press("w")
        let lines = app.state.runs.branchLines
        #expect(lines.map(\.depth) == [0, 1, 2])
        #expect(app.text().contains("Branches · 1 runs, 2 branches"))
        app.press(.left)
        #expect(app.state.runs.shownID == first)
        app.press(.up)
        #expect(app.state.runs.shownID == lines[0].run)
        app.press(.right)
        #expect(app.state.runs.shownID == first)
        app.press(.enter)
        #expect(app.state.preview.view == .picture)
    }

    @Test("A branch is replayed from its recipe: the tokens travel in it")
    func recipe() throws {
        let app = app(seeds: [7])
        app.press("B")
        app.settle()
        app.press(KeyPress("s", .control))
        app.press(.enter)
        app.wait { !$0.runs.runs.allSatisfy { !$0.isSaved } }
        let recipe = try #require(app.files.recipes.last)
        let start = try #require(recipe.sampling.start)
        #expect(start.scale == 4 && start.tokens[0].scales.count == 4)
        app.press("y")
        guard case .copy(let line)? = app.application.takeRequests().first else {
            Issue.record("nothing was copied")
            return
        }
        #expect(line.hasPrefix("workbench replay fake-digits-branch-"))
    }

    @Test("Without a run, or with an edit, there is nothing to go back in")
    func nothing() {
        let app = ApplicationHarness().ready()
        app.press("3")
        app.press("b")
        #expect(app.state.notice?.text.contains("no run to go back in") == true)
        #expect(app.state.runs.runs.isEmpty)
    }
}
