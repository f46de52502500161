#include "lab/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "lab/search.h"

namespace pake::cli::lab {
namespace {

constexpr double kWidth = 720;
constexpr double kHeight = 420;
constexpr double kLeft = 90;
constexpr double kRight = 24;
constexpr double kTop = 56;
constexpr double kBottom = 56;
constexpr double kLegendLine = 20;
// Told apart without colour too: by their marks and names.
constexpr std::array<std::string_view, 4> kClasses = {"a", "b", "c", "d"};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

struct Axes {
  double runs = 1;
  double decades = 1;
  [[nodiscard]] double x(double run) const { return kLeft + run / runs * (kWidth - kLeft - kRight); }
  [[nodiscard]] double y(double words) const {
    const auto height = kHeight - kTop - kBottom;
    return kTop + height * (1 - std::clamp(std::log10(std::max(words, 1.0)) / decades, 0.0, 1.0));
  }
};

}  // namespace

std::string plot_words_left(std::string_view title, const std::vector<Curve>& curves) {
  Axes axes;
  double most = 10;
  for (const auto& curve : curves) {
    axes.runs = std::max(axes.runs, static_cast<double>(curve.left.size()) - 1);
    for (const auto left : curve.left) most = std::max(most, left);
  }
  axes.decades = std::ceil(std::log10(most));
  const auto height = kHeight + kLegendLine * static_cast<double>(curves.size());
  std::string figures;
  for (const auto& curve : curves) {
    figures += curve.name + ": ";
    for (std::size_t run = 0; run < curve.left.size(); ++run)
      figures += fmt::format("{}{:.4g}", run == 0 ? "" : ", ", curve.left[run]);
    figures += ". ";
  }
  auto svg = fmt::format(
      R"svg(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img" aria-labelledby="title figures">
<title id="title">{}</title>
<desc id="figures">Words left after 0, 1, 2 and more runs. {}</desc>
<style>
svg {{ background: #fff; color: #222; font: 14px sans-serif }}
text {{ fill: currentColor }}
.grid {{ stroke: #ccc }}
polyline {{ fill: none; stroke-width: 2 }}
.computed {{ stroke-dasharray: 6 4 }}
.a {{ stroke: #1f5fa8; fill: #1f5fa8 }} .b {{ stroke: #a8441f; fill: #a8441f }}
.c {{ stroke: #2f7d32; fill: #2f7d32 }} .d {{ stroke: #6a3d9a; fill: #6a3d9a }}
polyline.a, polyline.b, polyline.c, polyline.d {{ fill: none }}
@media (prefers-color-scheme: dark) {{
svg {{ background: #181818; color: #eee }}
.grid {{ stroke: #444 }}
.a {{ stroke: #7db3f0; fill: #7db3f0 }} .b {{ stroke: #f0a07d; fill: #f0a07d }}
.c {{ stroke: #86d08a; fill: #86d08a }} .d {{ stroke: #c3a2ea; fill: #c3a2ea }}
}}
</style>
<text x="{}" y="30" font-size="17">{}</text>
)svg",
      kWidth, height, escaped(title), escaped(figures), kLeft, escaped(title));
  for (int decade = 0; decade <= static_cast<int>(axes.decades); ++decade) {
    const auto words = std::pow(10, decade);
    svg += fmt::format(
        R"svg(<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/><text x="{}" y="{:.1f}" text-anchor="end">{}</text>
)svg",
        kLeft, kWidth - kRight, axes.y(words), axes.y(words), kLeft - 8, axes.y(words) + 5,
        grouped(static_cast<std::uint64_t>(words)));
  }
  const auto step = std::max(1.0, std::ceil(axes.runs / 10));
  for (double run = 0; run <= axes.runs; run += step)
    svg += fmt::format(R"svg(<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>
)svg",
                       axes.x(run), kHeight - kBottom + 22, run);
  svg += fmt::format(R"svg(<text x="{}" y="{}" text-anchor="middle">runs</text>
<text x="20" y="{}" text-anchor="middle" transform="rotate(-90 20 {})">words left</text>
)svg",
                     (kLeft + kWidth - kRight) / 2, kHeight - 12, (kTop + kHeight - kBottom) / 2,
                     (kTop + kHeight - kBottom) / 2);
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const auto& curve = curves[i];
    const auto name = kClasses[i % kClasses.size()];
    const std::string_view computed = curve.is_computed ? " computed" : "";
    svg += fmt::format(R"svg(<polyline class="{}{}" points=")svg", name, computed);
    for (std::size_t run = 0; run < curve.left.size(); ++run)
      svg += fmt::format("{}{:.1f},{:.1f}", run == 0 ? "" : " ", axes.x(static_cast<double>(run)),
                         axes.y(curve.left[run]));
    svg += "\"/>\n";
    if (!curve.is_computed)
      for (std::size_t run = 0; run < curve.left.size(); ++run)
        svg += fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"/>\n", name,
                           axes.x(static_cast<double>(run)), axes.y(curve.left[run]));
    const auto y = kHeight + kLegendLine * static_cast<double>(i);
    svg += fmt::format(R"svg(<polyline class="{}{}" points="{},{} {},{}"/><text x="{}" y="{}">{}</text>
)svg",
                       name, computed, kLeft, y, kLeft + 36, y, kLeft + 46, y + 5, escaped(curve.name));
  }
  return svg + "</svg>\n";
}

}  // namespace pake::cli::lab
