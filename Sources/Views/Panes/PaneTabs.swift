// What the tabs of panes are called where there is much or little room.
// SPDX-License-Identifier: Apache-2.0

/// A tab: its number is the key that goes there.
struct PaneTab: Equatable {
    var number: String
    var title: String
    var width: Int { CharacterWidth.of(number) + CharacterWidth.of(title) }
}

enum PaneTabs {
    /// The longest labels that fit: whole names, short ones, short ones without a gap before them,
    /// numbers. The pane that is shown keeps its name.
    static func labels(_ panes: [PaneID], shown: PaneID, room: Int) -> [PaneTab] {
        func whole(_ pane: PaneID) -> PaneTab {
            PaneTab(number: " \(pane.rawValue) ", title: pane.title + " ")
        }
        let forms: [(PaneID) -> PaneTab] = [
            whole,
            { PaneTab(number: " \($0.rawValue) ", title: $0.shortTitle + " ") },
            { PaneTab(number: " \($0.rawValue)", title: $0.shortTitle) },
            { PaneTab(number: " \($0.rawValue) ", title: "") },
        ]
        for form in forms {
            let labels = panes.map { $0 == shown ? whole($0) : form($0) }
            if labels.reduce(0, { $0 + $1.width }) <= room { return labels }
        }
        return panes.map { $0 == shown ? whole($0) : forms[3]($0) }
    }
}
