export const en = {
  title: "Rating",
  given: "Rated {score} of 5",
  said: "The visitor rated the service {score} of 5",
  reasons: {
    solved: "Solved",
    quick: "Quick answers",
    friendly: "Friendly",
    competent: "Knew the subject",
    unsolved: "Not solved",
    slow: "Slow answers",
    unfriendly: "Unfriendly",
    unclear: "Hard to understand",
    too_many_handovers: "Passed around",
  },
};

export const zh: typeof en = {
  title: "评价",
  given: "评分 {score}/5",
  said: "访客评价了本次服务：{score} 分（满分 5 分）",
  reasons: {
    solved: "问题已解决",
    quick: "回复及时",
    friendly: "态度友好",
    competent: "专业可靠",
    unsolved: "问题没有解决",
    slow: "回复太慢",
    unfriendly: "态度不佳",
    unclear: "解释不清楚",
    too_many_handovers: "多次转接",
  },
};
