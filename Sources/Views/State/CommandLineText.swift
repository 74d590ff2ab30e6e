// The command line that does the same as what the screen shows.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated enum CommandLineText {
    /// `workbench sample …`, or `workbench edit …` while the mask has the focus.
    static func equivalent(to state: AppState) -> String? {
        guard let facts = state.model else { return nil }
        if state.layout.focus == .mask, let sampling = state.schedule.request(variant: .hmar),
            let edit = state.mask.request(sampling: sampling)
        {
            return line(
                for: edit, model: facts.card.name, picture: state.mask.sourcePath ?? "picture.png")
        }
        guard let request = state.schedule.request() else { return nil }
        return line(for: request, model: facts.card.name)
    }

    static func line(for request: SamplingRequest, model: String) -> String {
        var words = ["workbench", "sample", "--model", model]
        if request.variant != .hmar { words += ["--variant", request.variant.rawValue] }
        words += common(request)
        words += ["--count", String(request.count), "--schedule", quoted(json(request.schedule))]
        words += ["--out", "."]
        return words.joined(separator: " ")
    }

    static func line(for edit: EditRequest, model: String, picture: String) -> String {
        var words = ["workbench", "edit", "--model", model]
        words += ["--image", quoted(picture)]
        if edit.mode == .repaint { words += ["--share", String(edit.share * 100)] }
        if edit.mode.usesMask { words += ["--mask", "mask.png"] }
        words += ["--mode", edit.mode.rawValue, "--anchor", edit.anchor.rawValue]
        words += ["--keep-scales", String(edit.keepScales), "--dilate", String(edit.dilate)]
        words += ["--steps", edit.maskSteps.map(String.init).joined(separator: ",")]
        if edit.pasteBack { words.append("--paste-back") }
        words += common(edit.sampling)
        words += ["--out", "edited.png"]
        return words.joined(separator: " ")
    }

    private static func common(_ request: SamplingRequest) -> [String] {
        var words: [String] = []
        if let label = request.classLabel { words += ["--class", String(label)] }
        words += ["--seed", String(request.seed), "--cfg", String(request.cfg)]
        words += ["--top-k", String(request.topK), "--top-p", String(request.topP)]
        if request.mode == .exact { words += ["--compute", "exact"] }
        return words
    }

    static func json(_ schedule: SamplingSchedule) -> String {
        let rows = schedule.rows.map { "[" + $0.map(String.init).joined(separator: ",") + "]" }
        return "[" + rows.joined(separator: ",") + "]"
    }

    static func quoted(_ text: String) -> String {
        let plain = text.allSatisfy { $0.isLetter || $0.isNumber || "-_./".contains($0) }
        return plain && !text.isEmpty
            ? text
            : "'"
                + text.split(separator: "'", omittingEmptySubsequences: false)
                .joined(separator: "'\\''") + "'"
    }
}
