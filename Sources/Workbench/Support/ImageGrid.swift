// Many pictures on one sheet. SPDX-License-Identifier: Apache-2.0
import Core

/// Lays pictures of one size out on a sheet, row by row.
struct ImageGrid {
    /// Pictures in a row.
    let columns: Int
    /// Pixels between pictures.
    let gap = 2

    /// The sheet, on dark grey.
    ///
    /// - Precondition: at least one picture, all of one size.
    func sheet(_ images: [RGBImage], scale: Int = 1) -> RGBImage {
        precondition(!images.isEmpty, "a sheet of no pictures")
        let side = (width: images[0].width * scale, height: images[0].height * scale)
        let rows = (images.count + columns - 1) / columns
        var sheet = RGBImage(
            width: columns * (side.width + gap) + gap, height: rows * (side.height + gap) + gap,
            red: 40, green: 40, blue: 40)
        for (i, image) in images.enumerated() {
            let left = gap + (i % columns) * (side.width + gap)
            let top = gap + (i / columns) * (side.height + gap)
            for y in 0..<side.height {
                for x in 0..<side.width { sheet[left + x, top + y] = image[x / scale, y / scale] }
            }
        }
        return sheet
    }
}
